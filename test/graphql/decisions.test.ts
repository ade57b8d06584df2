import { afterEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/domain/errors.js';
import type { DriftVerbs } from '../../src/graphql/context.js';
import { ask, faceWith, type TestFace } from '../testkit/graphql.js';
import { inventoryOver } from '../testkit/inventory.js';
import { aFinding, aView, THEN } from '../testkit/view.js';

const identity = {
  kind: 'NAME_DIFFERS' as const,
  subject: { kind: 'GUEST' as const, id: 'main/101@1' },
  field: 'name',
};
const open = aFinding({ identity });
const MUTATIONS = {
  acknowledge:
    'mutation ($input: DriftFindingAcknowledgeInput!) { done: driftFindingAcknowledge(input: $input) { driftFinding { id state reason suppressedUntil } userErrors { code field message } } }',
  suppress:
    'mutation ($input: DriftFindingSuppressInput!) { done: driftFindingSuppress(input: $input) { driftFinding { id state reason suppressedUntil } userErrors { code field message } } }',
  reopen:
    'mutation ($input: DriftFindingReopenInput!) { done: driftFindingReopen(input: $input) { driftFinding { id state reason suppressedUntil } userErrors { code field message } } }',
};
const UNTIL = '2026-11-22T10:00:00.000Z';
const INPUTS = {
  acknowledge: { id: open.id, reason: 'known' },
  suppress: { id: open.id, until: UNTIL, reason: 'a rebuild' },
  reopen: { id: open.id },
};

describe('deciding about a finding', () => {
  let face: TestFace | undefined;
  afterEach(() => face?.stop());

  /** A face over a finding in this state, with what the verbs behind it were told. */
  async function faceOver(drift: Partial<DriftVerbs>, more: Partial<typeof open> = {}): Promise<TestFace> {
    const never = () => Promise.reject(new Error('this test does not ask for it'));
    const view = aView({ guests: [{ vmid: 101 }], findings: [{ ...open, ...more }] });
    face = await faceWith({
      inventory: inventoryOver(view),
      drift: { acknowledge: never, suppress: never, reopen: never, ...drift },
    });
    return face;
  }

  it.each(['acknowledge', 'suppress', 'reopen'] as const)(
    '%s: says it to the verb, and answers the finding as it is then',
    async (kind) => {
      const told: unknown[] = [];
      const verb = async (_: unknown, word: object) => void told.push({ ...word });
      const { data } = await ask(
        await faceOver({ [kind]: verb }, { state: 'SUPPRESSED', reason: 'a rebuild', suppressedUntil: THEN }),
        MUTATIONS[kind],
        { input: INPUTS[kind] },
      );
      expect(told).toEqual([kind === 'suppress' ? { ...INPUTS.suppress, until: Date.parse(UNTIL) } : INPUTS[kind]]);
      expect(data?.done).toEqual({
        driftFinding: {
          id: open.id,
          state: 'SUPPRESSED',
          reason: 'a rebuild',
          suppressedUntil: '2026-11-21T10:00:00.000Z',
        },
        userErrors: [],
      });
    },
  );

  it.each(['NOT_FOUND', 'CONFLICT', 'VALIDATION_ERROR'] as const)('tells %s as what can be mended', async (code) => {
    const acknowledge = () => Promise.reject(new DomainError(code, 'say it otherwise', { field: ['id'] }));
    const { data, errors } = await ask(await faceOver({ acknowledge }), MUTATIONS.acknowledge, {
      input: INPUTS.acknowledge,
    });
    expect(errors).toBeUndefined();
    expect(data?.done).toEqual({
      driftFinding: null,
      userErrors: [{ code, field: ['input', 'id'], message: 'say it otherwise' }],
    });
  });

  it('tells a missing permission as an error', async () => {
    const reopen = () => Promise.reject(new DomainError('FORBIDDEN', 'this needs the permission drift:decide'));
    const { errors } = await ask(await faceOver({ reopen }), MUTATIONS.reopen, { input: INPUTS.reopen });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  });

  it.each([
    ['without a reason', { id: open.id, until: UNTIL }],
    ['without an end', { id: open.id, reason: 'a rebuild' }],
    ['until no moment', { id: open.id, until: 'tomorrow', reason: 'a rebuild' }],
  ])('asks nobody to suppress it %s', async (_, input) => {
    const { errors } = await ask(await faceOver({}), MUTATIONS.suppress, { input });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});
