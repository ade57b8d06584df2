import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

const FINDING = '{ id state reason observed suppressedUntil history { type actor reason } }';
const ERRORS = 'userErrors { code field message }';

interface Finding {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly history: readonly { readonly type: string; readonly actor: string | null; readonly reason: string | null }[];
}
interface Done {
  readonly done: { readonly driftFinding: Finding | null; readonly userErrors: readonly { readonly code: string }[] };
}

describe('what people decide about findings, through two gateways on one database', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let database: TestDatabase;
  let one: TestGateway;
  let other: TestGateway;
  let guests: { readonly vmid: number; readonly name: string }[];

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 20 });
    ({ simulator } = cluster);
    database = await createTestDatabase();
    const opening = {
      files: cluster.files,
      env: cluster.env,
      databaseUrl: database.url,
    };
    one = await openGateway(opening);
    await eventually(
      async () => ((await states(one)).size >= simulator.plantedDrift.length ? true : undefined),
      30_000,
    );
    other = await openGateway(opening);
    await eventually(
      async () => ((await states(other)).size >= simulator.plantedDrift.length ? true : undefined),
      30_000,
    );
    guests = await quietGuests();
  }, 90_000);

  afterAll(async () => {
    await one?.close();
    await other?.close();
    await database?.drop();
    await cluster?.stop();
  });

  const decide = (gateway: TestGateway, word: string, input: object) =>
    gateway
      .graphql<Done>(
        `mutation ($input: DriftFinding${word}Input!) { done: driftFinding${word}(input: $input) { driftFinding ${FINDING} ${ERRORS} } }`,
        { input },
      )
      .then(({ done }) => done);
  const finding = async (gateway: TestGateway, id: string) =>
    (
      await gateway.graphql<{ driftFinding: Finding | null }>(`query ($id: ID!) { driftFinding(id: $id) ${FINDING} }`, {
        id,
      })
    ).driftFinding;
  const states = async (gateway: TestGateway) => {
    const { driftFindings } = await gateway.graphql<{ driftFindings: { nodes: Finding[] } }>(
      '{ driftFindings(first: 500) { nodes { id state } } }',
    );
    return new Map(driftFindings.nodes.map(({ id, state }) => [id, state]));
  };
  const becomes = (gateway: TestGateway, id: string, state: string) =>
    eventually(async () => ((await finding(gateway, id))?.state === state ? true : undefined), 30_000);

  async function quietGuests() {
    interface Guest {
      readonly vmid: number;
      readonly name: string;
      readonly template: boolean;
      readonly declared: readonly { readonly field: string; readonly value: string }[];
      readonly findings: readonly unknown[];
    }
    const { guests: all } = await one.graphql<{ guests: { nodes: Guest[] } }>(
      '{ guests(first: 100) { nodes { vmid name template declared { field value } findings { id } } } }',
    );
    return all.nodes.filter(({ name, template, declared, findings }) => {
      const isNamed = declared.some(({ field, value }) => field === 'name' && value === name);
      return !template && findings.length === 0 && isNamed;
    });
  }

  /** A guest that was renamed at its source, and the finding of it. */
  async function renamed(n: number) {
    const guest = guests[n];
    if (guest === undefined) throw new Error('every guest has a finding');
    const id = `NAME_DIFFERS:main/${guest.vmid}@1:name`;
    simulator.estate('main').rename(guest.vmid, `renamed-${n}`);
    await becomes(one, id, 'OPEN');
    await becomes(other, id, 'OPEN');
    return { ...guest, id };
  }

  it('hold on both from then on, over a restart, until the values change', async () => {
    const { id, vmid, name } = await renamed(0);
    const said = await decide(other, 'Acknowledge', { id, reason: 'agreed with the team' });
    expect(said).toMatchObject({
      userErrors: [],
      driftFinding: { state: 'ACKNOWLEDGED', reason: 'agreed with the team' },
    });
    expect((await finding(other, id))?.state).toBe('ACKNOWLEDGED');
    await becomes(one, id, 'ACKNOWLEDGED');
    await one.restart();
    await other.restart();
    await becomes(one, id, 'ACKNOWLEDGED');
    const shown = (await one.rest('/v1/inventory/drift')).body as { findings: { id: string; state: string }[] };
    expect(shown.findings.find((one) => one.id === id)?.state).toBe('ACKNOWLEDGED');

    // Gone and back with the acknowledged values: still known.
    simulator.estate('main').rename(vmid, name);
    await becomes(one, id, 'RESOLVED');
    expect((await decide(one, 'Acknowledge', { id })).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    simulator.estate('main').rename(vmid, 'renamed-0');
    await becomes(other, id, 'ACKNOWLEDGED');
    simulator.estate('main').rename(vmid, 'renamed-again');
    await becomes(other, id, 'OPEN');
    expect(
      (await finding(other, id))?.history.map(({ type, actor, reason }) => [type, actor === null, reason]),
    ).toEqual([
      ['OPENED', true, null],
      ['ACKNOWLEDGED', false, 'agreed with the team'],
      ['RESOLVED', true, null],
      ['ACKNOWLEDGED', true, 'the acknowledged values are back'],
      ['REOPENED', true, 'the acknowledgement was about something else: what is observed changed'],
    ]);
  }, 90_000);

  it('end when they said: a suppression wakes by itself, also where the gateways were started anew', async () => {
    const { id } = await renamed(1);
    const until = new Date(Date.now() + 8_000).toISOString();
    expect((await decide(one, 'Suppress', { id, until, reason: 'a rebuild' })).userErrors).toEqual([]);
    await becomes(other, id, 'SUPPRESSED');
    await one.restart();
    await other.restart();
    await becomes(one, id, 'OPEN');
    await becomes(other, id, 'OPEN');
    expect((await finding(one, id))?.history.map(({ type, reason }) => [type, reason])).toEqual([
      ['OPENED', null],
      ['SUPPRESSED', 'a rebuild'],
      ['REOPENED', 'the suppression ran out'],
    ]);
  }, 90_000);

  it('say what is wrong with them', async () => {
    const { id } = await renamed(2);
    const past = await decide(one, 'Suppress', { id, until: '2020-01-01T00:00:00Z', reason: 'a rebuild' });
    expect(past).toMatchObject({
      driftFinding: null,
      userErrors: [{ code: 'VALIDATION_ERROR', field: ['input', 'until'] }],
    });
    expect((await decide(one, 'Reopen', { id: 'NAME_DIFFERS:main/1@1:name' })).userErrors).toMatchObject([
      { code: 'NOT_FOUND', field: ['input', 'id'] },
    ]);
    expect((await finding(one, id))?.state).toBe('OPEN');
  }, 60_000);

  it('and what the policy ignores is counted and listed, and opens when the rule goes', async () => {
    const { id } = await renamed(3);
    const policy = 'ignore: [{ kinds: [NAME_DIFFERS], name: "renamed-3", reason: "a lab" }]\n';
    for (const gateway of [one, other]) await writeFile(join(gateway.configDir, 'policy.yaml'), policy);
    await becomes(one, id, 'IGNORED');
    await becomes(other, id, 'IGNORED');
    const { summary } = await other.graphql<{ summary: { drift: { ignored: number } } }>(
      '{ summary { drift { ignored } } }',
    );
    expect(summary.drift.ignored).toBe(1);
    const listed = await other.graphql<{ driftFindings: { nodes: { id: string; reason: string }[] } }>(
      '{ driftFindings(filter: { states: [IGNORED] }) { nodes { id reason } } }',
    );
    expect(listed.driftFindings.nodes).toEqual([{ id, reason: 'a lab' }]);
    expect((await states(other)).has(id)).toBe(false);
    for (const gateway of [one, other])
      await writeFile(join(gateway.configDir, 'policy.yaml'), '# every default holds\n');
    await becomes(one, id, 'OPEN');
    await becomes(other, id, 'OPEN');
  }, 60_000);
});
