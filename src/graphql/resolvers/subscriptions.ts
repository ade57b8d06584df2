import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import type * as filters from '../../domain/filters.js';
import type { Context } from '../context.js';
import { given } from '../given.js';
import { ChangeRequestEvent } from '../objects/change-request.js';
import { CollectorEvent } from '../objects/collector.js';
import { DriftEvent } from '../objects/finding.js';
import { DriftFindingFilter, GuestFilter } from '../objects/inputs.js';
import { InventoryEvent } from '../objects/inventory-event.js';
import { untilLeft } from '../until-left.js';

const AFTER = { nullable: true, description: 'Replay what came after this cursor first; left out: from now on' };

interface Following {
  readonly args: { readonly after?: string | null; readonly filter?: object | null };
  readonly context: Context;
}

const followed = ({ after }: Following['args']) => ({ after: after ?? undefined });

@Resolver()
export class Subscriptions {
  @Subscription(() => DriftEvent, {
    description: 'What happens to findings. The filter matches the state before or after the event',
    subscribe: ({ args, context }: Following) =>
      context.verbs.feed.driftEvents(
        context.principal,
        { ...followed(args), filter: given(args.filter) as filters.DriftFindingFilter },
        context.signal,
      ),
  })
  driftEvents(
    @Root() event: unknown,
    @Arg('after', () => String, AFTER) _after: string | null,
    @Arg('filter', () => DriftFindingFilter, { nullable: true, description: 'Only these' }) _filter: object | null,
  ): unknown {
    return event;
  }

  @Subscription(() => InventoryEvent, {
    description: 'What happens to guests',
    subscribe: ({ args, context }: Following) =>
      context.verbs.feed.inventoryEvents(
        context.principal,
        { ...followed(args), filter: given(args.filter) as filters.GuestFilter },
        context.signal,
      ),
  })
  inventoryEvents(
    @Root() event: unknown,
    @Arg('after', () => String, AFTER) _after: string | null,
    @Arg('filter', () => GuestFilter, { nullable: true, description: 'Only these' }) _filter: object | null,
  ): unknown {
    return event;
  }

  @Subscription(() => ChangeRequestEvent, {
    description: 'What happens to changes that need the word of another person',
    subscribe: ({ args, context }: Following) =>
      context.verbs.feed.changeRequestEvents(context.principal, followed(args), context.signal),
  })
  changeRequestEvents(@Root() event: unknown, @Arg('after', () => String, AFTER) _after: string | null): unknown {
    return event;
  }

  @Subscription(() => CollectorEvent, {
    description: 'Runs starting, progressing and ending',
    subscribe: ({ context: { verbs, principal, signal } }: Following) =>
      untilLeft(signal, (left) => verbs.collection.events(principal, left)),
  })
  collectorEvents(@Root() event: unknown): unknown {
    return event;
  }
}
