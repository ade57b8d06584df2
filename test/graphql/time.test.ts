import { afterAll, beforeAll, expect, it } from 'vitest';
import { HOUR } from '../../src/domain/time.js';
import { ask, faceWith, type TestFace } from '../testkit/graphql.js';
import { inventoryOver } from '../testkit/inventory.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { aFinding, aView, learnedOf, THEN } from '../testkit/view.js';

let kit: TestStore;
let face: TestFace;
const iso = (at: number) => new Date(at).toISOString();
const times = { from: iso(THEN), to: iso(THEN + HOUR), past: iso(THEN + 1), later: iso(THEN + HOUR) };

beforeAll(async () => {
  kit = await createTestStore();
  const finding = aFinding({
    identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/7@1' }, field: 'name' },
    severity: 'WARNING',
  });
  const step = { findingId: finding.id, actor: null, reason: null, declared: null, observed: null, cursor: null };
  await kit.store.transaction((tx) => tx.findings.save([finding], [{ ...step, at: THEN, type: 'OPENED' }]));
  await kit.store.transaction((tx) =>
    tx.findings.save(
      [{ ...finding, state: 'RESOLVED', resolvedAt: THEN + HOUR }],
      [{ ...step, at: THEN + HOUR, type: 'RESOLVED' }],
    ),
  );
  for (const [name, at, prior] of [
    ['old', THEN, null],
    ['new', THEN + HOUR, THEN],
  ] as const) {
    const { opened, reads, states } = learnedOf({ guests: [{ vmid: 7, name, agent: ['10.0.0.7'] }] });
    const [state] = states;
    if (state === undefined) throw new Error('no state');
    const writes = opened.map((version) => {
      const hash = JSON.stringify(version.body);
      return { op: 'put' as const, version: { ...version, hash, validFrom: at, priorReadAt: prior } };
    });
    await kit.store.transaction((tx) => tx.batches.apply({ writes, reads, state }));
  }
  const view = aView({ guests: [{ vmid: 7, name: 'new', agent: ['10.0.0.7'] }] });
  face = await faceWith({ inventory: inventoryOver(view, { store: kit.store, now: THEN + HOUR }) });
});
afterAll(async () => {
  await face.stop();
  await kit.close();
});

it('the timeline of drift, in buckets', async () => {
  const { data, errors } = await ask(
    face,
    `query ($from: DateTime!, $later: DateTime!) { driftTimeline(from: $from, to: $later, bucket: DAY) {
       from to opened resolved reopened open openBySeverity { severity count } } }`,
    times,
  );
  expect(errors).toBeUndefined();
  expect(data?.driftTimeline).toEqual([
    {
      from: '2026-11-21T00:00:00.000Z',
      to: '2026-11-22T00:00:00.000Z',
      ...{ opened: 1, resolved: 1, reopened: 0, open: 0 },
      openBySeverity: ['INFO', 'WARNING', 'CRITICAL'].map((severity) => ({ severity, count: 0 })),
    },
  ]);
});

it('what changed between two moments, as a connection', async () => {
  const { data, errors } = await ask(
    face,
    `query ($from: DateTime!, $to: DateTime!) { inventoryChanges(from: $from, to: $to, first: 5, filter: { vmid: 7, kinds: null }) {
       totalCount pageInfo { hasNextPage } nodes { at kind subject { kind id } field from to source } } }`,
    times,
  );
  expect(errors).toBeUndefined();
  expect(data?.inventoryChanges).toEqual({
    totalCount: 1,
    pageInfo: { hasNextPage: false },
    nodes: [
      {
        at: iso(THEN + HOUR),
        kind: 'RENAMED',
        subject: { kind: 'GUEST', id: 'main/7@1' },
        ...{ field: 'name', from: 'old', to: 'new', source: 'proxmox:main' },
      },
    ],
  });
});

it('findings and addresses as they were, beside those of now', async () => {
  const { data, errors } = await ask(
    face,
    `query ($past: DateTime!, $later: DateTime!) {
       now: driftFindings { nodes { state } }
       before: driftFindings(asOf: $past) { nodes { state } totalCount }
       later: driftFindings(asOf: $later, filter: { states: [RESOLVED] }) { nodes { state resolvedAt } }
       past: addresses(asOf: $past) { nodes { address carriedBy { guestId guest { name node { name } } evidence { source } } } }
     }`,
    times,
  );
  expect(errors).toBeUndefined();
  const evidence = [{ source: 'AGENT' }];
  expect(data).toEqual({
    now: { nodes: [] },
    before: { nodes: [{ state: 'OPEN' }], totalCount: 1 },
    later: { nodes: [{ state: 'RESOLVED', resolvedAt: iso(THEN + HOUR) }] },
    past: {
      nodes: [
        {
          address: '10.0.0.7',
          carriedBy: [{ guestId: 'main/7@1', guest: { name: 'old', node: { name: 'pve1' } }, evidence }],
        },
      ],
    },
  });
});

it('a finding of then is about the guest of then and ends with the steps of then, and a guest of then has the findings of then', async () => {
  const ofFinding = 'nodes { state guest { name } guests { name } history { type } }';
  const ofGuest = '{ name findings { state } every: findings(states: [OPEN, RESOLVED]) { state history { type } } }';
  const { data, errors } = await ask(
    face,
    `query ($past: DateTime!, $later: DateTime!) {
       before: driftFindings(asOf: $past) { ${ofFinding} }
       later: driftFindings(asOf: $later, filter: { states: [RESOLVED] }) { ${ofFinding} }
       guestBefore: guest(vmid: 7, asOf: $past) ${ofGuest}
       guestLater: guest(vmid: 7, asOf: $later) ${ofGuest}
       troubled: guests(asOf: $past, filter: { withOpenFindings: true }) { nodes { name } }
       calm: guests(asOf: $later, filter: { withOpenFindings: true }) { nodes { name } }
     }`,
    times,
  );
  expect(errors).toBeUndefined();
  const opened = [{ type: 'OPENED' }];
  const resolved = [{ type: 'OPENED' }, { type: 'RESOLVED' }];
  const of = (state: string, name: string, history: object[]) => ({
    nodes: [{ state, guest: { name }, guests: [{ name }], history }],
  });
  expect(data).toEqual({
    before: of('OPEN', 'old', opened),
    later: of('RESOLVED', 'new', resolved),
    guestBefore: { name: 'old', findings: [{ state: 'OPEN' }], every: [{ state: 'OPEN', history: opened }] },
    guestLater: { name: 'new', findings: [], every: [{ state: 'RESOLVED', history: resolved }] },
    troubled: { nodes: [{ name: 'old' }] },
    calm: { nodes: [] },
  });
});

it('a time that runs backward, or a thousand buckets too many, is the caller’s to mend', async () => {
  for (const [from, to] of [
    [times.to, times.from],
    ['2020-01-01T00:00:00Z', times.to],
  ]) {
    const query = `{ driftTimeline(from: "${from}", to: "${to}", bucket: HOUR) { open } }`;
    const { errors } = await ask(face, query);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['VALIDATION_ERROR']);
  }
});
