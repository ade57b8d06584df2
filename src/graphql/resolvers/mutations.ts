import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CollectorName } from '../../domain/contract.js';
import { DomainError } from '../../domain/errors.js';
import type { Context } from '../context.js';
import {
  ApiKeyCreateInput,
  ApiKeyRevokeInput,
  CollectionRunInput,
  DeclaredConfirmInput,
  DriftFindingAcknowledgeInput,
  DriftFindingReopenInput,
  DriftFindingSuppressInput,
} from '../objects/inputs.js';
import {
  ApiKeyCreatePayload,
  ApiKeyRevokePayload,
  CollectionRunPayload,
  DeclaredConfirmPayload,
  DriftFindingAcknowledgePayload,
  DriftFindingReopenPayload,
  DriftFindingSuppressPayload,
} from '../objects/payloads.js';
import { mended } from '../user-errors.js';

const WAIT = 20;
const LONGEST_WAIT = 60;

@Resolver()
export class CollectionMutations {
  @Mutation(() => CollectionRunPayload, {
    description:
      'Collects now: every part of every source. Joins a run in progress. Answers at its end, or after `waitSeconds`',
  })
  collectionRun(
    @Ctx() { verbs, principal, signal }: Context,
    @Arg('input', () => CollectionRunInput, { description: 'What to collect' }) input: CollectionRunInput,
  ): unknown {
    return mended(async () => {
      const waitSeconds = input.waitSeconds ?? WAIT;
      if (waitSeconds < 0 || waitSeconds > LONGEST_WAIT) {
        throw new DomainError('VALIDATION_ERROR', `waitSeconds must be from 0 to ${LONGEST_WAIT}`, {
          field: ['waitSeconds'],
        });
      }
      // The enum's inner values are the contract's names.
      const collectors = (input.collectors ?? undefined) as readonly CollectorName[] | undefined;
      return { runs: await verbs.collection.run(principal, { collectors, waitSeconds }, signal) };
    });
  }

  @Mutation(() => DeclaredConfirmPayload, {
    description: 'A declared source that lost many rows at once: yes, that is right',
  })
  declaredConfirm(
    @Ctx() { verbs, principal }: Context,
    @Arg('input', () => DeclaredConfirmInput, { description: 'Which source, and why' }) input: DeclaredConfirmInput,
  ): unknown {
    return mended(async () => {
      const { source, reason } = input;
      await verbs.collection.confirmDeclared(principal, { source, reason });
      const sources = verbs.inventory.declaredSources(principal);
      return { source: sources.find(({ name }) => name === source) ?? null };
    });
  }
}

@Resolver()
export class DriftMutations {
  @Mutation(() => DriftFindingAcknowledgePayload, {
    description:
      'Takes note of a finding, for the values it has now: other values open it again. Of changed hardware it accepts the parts, and resolves',
  })
  driftFindingAcknowledge(
    @Ctx() context: Context,
    @Arg('input', () => DriftFindingAcknowledgeInput, { description: 'Which finding, and why' })
    input: DriftFindingAcknowledgeInput,
  ): unknown {
    return decided(context, input.id, ({ verbs, principal }) => verbs.drift.acknowledge(principal, input));
  }

  @Mutation(() => DriftFindingSuppressPayload, {
    description: 'Silences a finding until a moment. It opens by itself then, if it is still so',
  })
  driftFindingSuppress(
    @Ctx() context: Context,
    @Arg('input', () => DriftFindingSuppressInput, { description: 'Which finding, until when, and why' })
    input: DriftFindingSuppressInput,
  ): unknown {
    return decided(context, input.id, ({ verbs, principal }) => verbs.drift.suppress(principal, input));
  }

  @Mutation(() => DriftFindingReopenPayload, { description: 'Opens a finding that was acknowledged or suppressed' })
  driftFindingReopen(
    @Ctx() context: Context,
    @Arg('input', () => DriftFindingReopenInput, { description: 'Which finding, and why' })
    input: DriftFindingReopenInput,
  ): unknown {
    return decided(context, input.id, ({ verbs, principal }) => verbs.drift.reopen(principal, input));
  }
}

/** A decision, and the finding as it is after it. */
function decided(context: Context, id: string, decide: (context: Context) => Promise<void>): Promise<object> {
  return mended(async () => {
    await decide(context);
    return { driftFinding: (await context.verbs.inventory.driftFinding(context.principal, id)) ?? null };
  });
}

@Resolver()
export class AccountMutations {
  @Mutation(() => ApiKeyCreatePayload, {
    description: 'Makes an API key. Its secret is shown in this answer and never again',
  })
  apiKeyCreate(
    @Ctx() { verbs, principal }: Context,
    @Arg('input', () => ApiKeyCreateInput, { description: 'What the key shall be' }) input: ApiKeyCreateInput,
  ): unknown {
    return mended(() => verbs.accounts.apiKeyCreate(principal, input));
  }

  @Mutation(() => ApiKeyRevokePayload, { description: 'Revokes an API key: it opens nothing from now on' })
  apiKeyRevoke(
    @Ctx() { verbs, principal }: Context,
    @Arg('input', () => ApiKeyRevokeInput, { description: 'Which key' }) input: ApiKeyRevokeInput,
  ): unknown {
    return mended(async () => ({ apiKey: await verbs.accounts.apiKeyRevoke(principal, input.id) }));
  }
}
