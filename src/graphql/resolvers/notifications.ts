import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.js';
import { PageConnection } from '../objects/connection.js';
import {
  DeadLetterConnection,
  DeadLetterReplayInput,
  DeadLetterReplayPayload,
  NotificationTarget,
  NotificationTestInput,
  NotificationTestPayload,
} from '../objects/notification.js';
import { mended } from '../user-errors.js';
import { AFTER, BEFORE, LAST, paging } from './paging.js';

type Maybe<T> = T | null | undefined;

@Resolver()
export class NotificationResolvers {
  @Query(() => [NotificationTarget], {
    description: 'Who is told what happens, and how that goes; needs notification:manage',
  })
  notificationTargets(@Ctx() { verbs, principal }: Context): unknown {
    return verbs.notifications.targets(principal);
  }

  @Query(() => DeadLetterConnection, {
    description: 'Messages that could not be delivered, in the order of their events; needs notification:manage',
  })
  async deadLetters(
    @Ctx() { verbs, principal }: Context,
    @Arg('first', () => Int, {
      nullable: true,
      description: 'At most this many; 50 where nothing is said, at most 500',
    })
    first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('target', () => String, { nullable: true, description: 'Only those of this target' }) target: Maybe<string>,
    @Arg('replayed', () => Boolean, { nullable: true, description: 'Also those that were delivered after all' })
    replayed: Maybe<boolean>,
  ): Promise<unknown> {
    const query = {
      ...paging(first, after, last, before),
      target: target ?? undefined,
      replayed: replayed ?? undefined,
    };
    return new PageConnection(await verbs.notifications.deadLetters(principal, query));
  }

  @Mutation(() => DeadLetterReplayPayload, {
    description:
      'Sends dead letters of a target again, in their order, as far as they are taken: a webhook that fails ends it, a mail recipient that is refused only his own; needs notification:manage',
  })
  deadLetterReplay(
    @Ctx() { verbs, principal, signal }: Context,
    @Arg('input', () => DeadLetterReplayInput, { description: 'Which letters' }) input: DeadLetterReplayInput,
  ): unknown {
    return mended(async () => {
      const { target, ids } = input;
      const wish = { target, ids: ids ?? undefined };
      return { deadLetters: await verbs.notifications.replay(principal, wish, signal) };
    });
  }

  @Mutation(() => NotificationTestPayload, {
    description: 'Sends a target a message that says it is a test, once and now; needs notification:manage',
  })
  notificationTest(
    @Ctx() { verbs, principal, signal }: Context,
    @Arg('input', () => NotificationTestInput, { description: 'Which target' }) input: NotificationTestInput,
  ): unknown {
    return mended(async () => {
      const attempt = await verbs.notifications.test(principal, input.target, signal);
      return attempt.kind === 'delivered'
        ? { delivered: true, answer: attempt.status }
        : { delivered: false, answer: attempt.reason };
    });
  }
}
