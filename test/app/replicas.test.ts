import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type Line, lineTo } from '../testkit/line.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

const FINDINGS = '{ driftFindings(first: 500) { nodes { id state occurrences } } }';
const RUN =
  'mutation { collectionRun(input: { collectors: [PROXMOX_GUEST_IPAM], waitSeconds: 30 }) { runs { state outcome requests } userErrors { code } } }';

interface Finding {
  readonly id: string;
  readonly state: string;
  readonly occurrences: number;
}

describe('two gateways on one database', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let database: TestDatabase;
  let one: TestGateway;
  let other: TestGateway;
  let line: Line;

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 20 });
    ({ simulator } = cluster);
    database = await createTestDatabase();
    const opening = {
      files: cluster.files,
      env: cluster.env,
      databaseUrl: database.url,
    };
    line = await lineTo(database.url);
    one = await openGateway({ ...opening, databaseUrl: line.url });
    await eventually(() => (polls() > 0 ? true : undefined));
    other = await openGateway(opening);
  }, 60_000);

  afterAll(async () => {
    await one?.close();
    await other?.close();
    await line?.close();
    await database?.drop();
    await cluster?.stop();
  });

  const polls = () => cluster.polls();
  const findings = async (gateway: TestGateway) =>
    (await gateway.graphql<{ driftFindings: { nodes: Finding[] } }>(FINDINGS)).driftFindings.nodes;
  const steps = async () => {
    const topics = ['drift.detected', 'drift.updated', 'drift.resolved', 'drift.reopened'];
    const events = await other.gateway.core.database.store.events.after(0n, topics, 500);
    return events.map(({ topic, payload }) => `${topic} ${(payload as { findingId: string }).findingId}`);
  };
  const compares = (gateway: TestGateway) => gateway.gateway.core.drift.compares();

  it('answer alike, and tell each finding once', async () => {
    const planted = simulator.plantedDrift.length;
    await eventually(async () => ((await findings(one)).length === planted ? true : undefined), 30_000);
    await eventually(async () => ((await findings(other)).length === planted ? true : undefined));
    expect(await findings(other)).toEqual(await findings(one));
    expect(compares(one)).not.toBe(compares(other));
    const told = await steps();
    expect(told.length).toBe(new Set(told).size);
  }, 60_000);

  it('are one to a caller who wants a pass now, whichever she asks', async () => {
    const { collectionRun } = await other.graphql<{ collectionRun: { runs: object[]; userErrors: object[] } }>(RUN);
    expect(collectionRun).toEqual({
      runs: [{ state: 'FINISHED', outcome: 'OBSERVED', requests: expect.any(Number) }],
      userErrors: [],
    });
  });

  it('the other takes over when the one that collects dies in mid-run, and the dead one brings nothing back', async () => {
    const told = await steps();
    const guest = await aQuietGuest();
    simulator.faults('main').set({ slowMs: 150 });
    const seen = polls();
    await eventually(() => (polls() > seen ? true : undefined));
    line.cut();
    simulator.faults('main').clear();
    simulator.estate('main').rename(guest.vmid, 'renamed-meanwhile');
    const name = `NAME_DIFFERS:main/${guest.vmid}@1:name`;
    await eventually(async () => ((await findings(other)).some(({ id }) => id === name) ? true : undefined), 30_000);
    expect([compares(one), compares(other)]).toEqual([false, true]);
    // It answers what it knows while nobody hears it.
    expect((await findings(one)).map(({ id }) => id)).not.toContain(name);
    line.mend();
    await eventually(async () => ((await findings(one)).some(({ id }) => id === name) ? true : undefined), 30_000);
    await eventually(async () => ((await findings(one)).length === (await findings(other)).length ? true : undefined));
    expect(await findings(one)).toEqual(await findings(other));
    expect((await steps()).slice(told.length)).toEqual([`drift.detected ${name}`]);
  }, 60_000);

  it('go on as one when the connections of both are cut, and tell nothing twice', async () => {
    const before = await steps();
    await cutAll();
    const seen = polls();
    await eventually(() => (polls() >= seen + 3 ? true : undefined), 30_000);
    await eventually(() => (compares(one) !== compares(other) ? true : undefined));
    expect(await steps()).toEqual(before);
  }, 60_000);

  async function aQuietGuest(): Promise<{ readonly vmid: number }> {
    interface Guest {
      readonly vmid: number;
      readonly name: string;
      readonly template: boolean;
      readonly declared: readonly { readonly field: string; readonly value: string }[];
      readonly findings: readonly unknown[];
    }
    const { guests } = await other.graphql<{ guests: { nodes: Guest[] } }>(
      '{ guests(first: 100) { nodes { vmid name template declared { field value } findings { id } } } }',
    );
    const quiet = guests.nodes.find(({ name, template, declared, findings: open }) => {
      return !template && open.length === 0 && declared.some(({ field, value }) => field === 'name' && value === name);
    });
    if (quiet === undefined) throw new Error('every guest has a finding');
    return quiet;
  }

  /** What a restart of the server does to whoever is connected. */
  async function cutAll(): Promise<void> {
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await admin.end();
  }
});
