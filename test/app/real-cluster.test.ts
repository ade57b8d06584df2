import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly message: string;
}
interface DriftEvent {
  readonly type: string;
  readonly cursor: string;
  readonly finding: { readonly id: string; readonly kind: string; readonly state: string };
}

const FINDINGS = '{ driftFindings(first: 500) { nodes { id kind state declared observed message } } }';
const EVENTS = 'subscription ($after: String) { driftEvents(after: $after) { type cursor finding { id kind state } } }';

describe('a cluster behind a pinned certificate', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let gateway: TestGateway;

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 3, guests: 30 });
    ({ simulator } = cluster);
    gateway = await openGateway({
      files: cluster.files,
      env: cluster.env,
    });
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await cluster?.stop();
  });

  const findings = async (): Promise<readonly Finding[]> =>
    (await gateway.graphql<{ driftFindings: { nodes: Finding[] } }>(FINDINGS)).driftFindings.nodes;
  const planted = () => simulator.plantedDrift.map(({ kind, subject }) => `${kind} ${subject}`).sort();

  it('is told exactly the drift that is there, and no other', async () => {
    const told = (all: readonly Finding[]) => all.map(({ id, kind }) => `${kind} ${subjectOf(id)}`).sort();
    await eventually(async () => (told(await findings()).length >= planted().length ? true : undefined), 30_000);
    expect(told(await findings())).toEqual(planted());
  });

  it('tells a rename once, within the poll', async () => {
    const guest = await aQuietGuest();
    const events: DriftEvent[] = [];
    const stop = subscribe(events);
    await begun();
    simulator.estate('main').rename(guest.vmid, 'renamed-by-somebody');
    const opened = await eventually(() => events.find((event) => event.finding.kind === 'NAME_DIFFERS'));
    expect(opened.type).toBe('OPENED');
    simulator.estate('main').rename(guest.vmid, guest.name);
    const resolved = await eventually(() =>
      events.find((event) => event.finding.id === opened.finding.id && event.type === 'RESOLVED'),
    );
    expect(resolved.finding.state).toBe('RESOLVED');
    stop();
    expect(events.filter((event) => event.finding.id === opened.finding.id).map((event) => event.type)).toEqual([
      'OPENED',
      'RESOLVED',
    ]);
  });

  it('tells an address that nobody edits in Proxmox within the round of the slice', async () => {
    const guest = await aQuietGuest();
    const before = simulator.estate('main').guest(guest.vmid)?.nics[0]?.v4;
    const events: DriftEvent[] = [];
    const stop = subscribe(events);
    await begun();
    simulator.estate('main').setAddress(guest.vmid, 'net0', '10.200.0.77/24');
    const opened = await eventually(() =>
      events.find((event) => event.finding.id.startsWith(`ADDRESS_DIFFERS:main/${guest.vmid}@`)),
    );
    expect(opened.type).toBe('OPENED');
    simulator.estate('main').setAddress(guest.vmid, 'net0', `${before?.address}/${before?.prefix}`);
    await eventually(() => events.find((event) => event.finding.id === opened.finding.id && event.type === 'RESOLVED'));
    stop();
  });

  it('goes on where a subscriber was when the gateway stopped: no gap, no repeat', async () => {
    const guest = await aQuietGuest();
    const first: DriftEvent[] = [];
    const stop = subscribe(first);
    await begun();
    simulator.estate('main').rename(guest.vmid, 'while-subscribed');
    const last = await eventually(() => first.at(-1));
    stop();
    simulator.estate('main').rename(guest.vmid, 'while-nobody-listens');
    await eventually(async () => (await findings()).find(({ observed }) => observed === 'while-nobody-listens'));
    await gateway.restart();
    simulator.estate('main').rename(guest.vmid, guest.name);
    const rest: DriftEvent[] = [];
    const stopAgain = subscribe(rest, last.cursor);
    await eventually(() => rest.find(({ type }) => type === 'RESOLVED'));
    stopAgain();
    expect(rest.map(({ type, finding }) => `${type} ${finding.id}`)).toEqual([
      `UPDATED ${last.finding.id}`,
      `RESOLVED ${last.finding.id}`,
    ]);
    expect(new Set([last, ...rest].map(({ cursor }) => cursor)).size).toBe(3);
  });

  it('compares a saved file without a restart, and keeps what it said when the file is gone', async () => {
    const table = join(gateway.configDir, 'ALL_VMIDS_ENDPOINTS.md');
    const before = (await findings()).map(({ id }) => id).sort();
    await rename(table, `${table}.away`);
    await eventually(async () => {
      const { body } = await gateway.rest('/v1/inventory/drift');
      return JSON.stringify(body).includes('ALL_VMIDS_ENDPOINTS.md is not there') ? true : undefined;
    });
    expect((await findings()).map(({ id }) => id).sort()).toEqual(before);
    await rename(`${table}.away`, table);
    const text = await readFile(table, 'utf8');
    await writeFile(table, `${text}\n\n| VMID | Name | Cluster |\n|---|---|---|\n| 987654 | nobody | main |\n`);
    const missing = await eventually(async () =>
      (await findings()).find(({ id }) => id.startsWith('GUEST_MISSING:main/987654')),
    );
    expect(missing.state).toBe('OPEN');
    await writeFile(table, text);
    await eventually(async () => ((await findings()).some(({ id }) => id === missing.id) ? undefined : true));
  });

  it('opens and resolves nothing while the cluster is out of reach or restarted', async () => {
    const before = (await findings()).map(({ id }) => id).sort();
    simulator.faults('main').status500 = true;
    await eventually(async () => {
      const { body } = await gateway.rest('/v1/summary');
      return (body as { seed_unreachable: boolean }).seed_unreachable ? true : undefined;
    });
    expect((await findings()).map(({ id }) => id).sort()).toEqual(before);
    await gateway.restart();
    expect((await findings()).map(({ id }) => id).sort()).toEqual(before);
    simulator.faults('main').status500 = false;
    await eventually(async () => {
      const { body } = await gateway.rest('/v1/summary');
      return (body as { seed_unreachable: boolean }).seed_unreachable ? undefined : true;
    }, 90_000);
    expect((await findings()).map(({ id }) => id).sort()).toEqual(before);
  }, 120_000);

  async function aQuietGuest(): Promise<{ readonly vmid: number; readonly name: string }> {
    const query =
      '{ guests(first: 100) { nodes { vmid name status template declared { field value } findings { id } } } }';
    interface Guest {
      vmid: number;
      name: string;
      status: string;
      template: boolean;
      declared: { field: string; value: string }[];
      findings: unknown[];
    }
    const { guests } = await gateway.graphql<{ guests: { nodes: Guest[] } }>(query);
    const found = guests.nodes.find((guest) => {
      const named = guest.declared.some(({ field, value }) => field === 'name' && value === guest.name);
      return named && guest.status === 'RUNNING' && !guest.template && guest.findings.length === 0;
    });
    if (found === undefined) throw new Error('no guest without a finding');
    return found;
  }

  function subscribe(events: DriftEvent[], after?: string): () => void {
    return gateway.socket().subscribe<{ driftEvents: DriftEvent }>(
      { query: EVENTS, variables: { after } },
      {
        next: ({ data }) => {
          if (data != null) events.push(data.driftEvents);
        },
        error: () => {},
        complete: () => {},
      },
    );
  }

  /** A subscription says nothing when it has begun: what happens right after it was asked for could be before it. */
  const begun = () => new Promise((resolve) => setTimeout(resolve, 300));
});

/** `KIND:subject:field` → `subject`. */
function subjectOf(id: string): string {
  return id.slice(id.indexOf(':') + 1, id.lastIndexOf(':'));
}
