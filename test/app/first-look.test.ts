import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

describe('a file that was edited while nobody watched it', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let gateway: TestGateway;

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 12 });
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

  it('is read before anything is compared: renaming on both sides while the gateway is away tells nothing', async () => {
    const steps = async () => {
      const events = await gateway.gateway.core.database.store.events.after(
        0n,
        ['drift.detected', 'drift.updated', 'drift.resolved', 'drift.reopened'],
        500,
      );
      return events.map(({ topic, subject }) => `${topic} ${subject.id}`);
    };
    const planted = simulator.plantedDrift.length;
    await eventually(async () => ((await steps()).length >= planted ? true : undefined), 30_000);
    const before = await steps();
    const guest = await aDeclaredName();
    await gateway.gateway.stop();
    simulator.estate('main').rename(guest.vmid, 'other-name');
    const table = join(gateway.configDir, 'ALL_VMIDS_ENDPOINTS.md');
    await writeFile(table, (await readFile(table, 'utf8')).replaceAll(guest.name, 'other-name'));
    await gateway.restart();
    await eventually(async () => ((await nameOf(guest.vmid)) === 'other-name' ? true : undefined), 20_000);
    // Two more polls: whatever would be told falsely would have been told by then.
    const polls = () => cluster.polls();
    const seen = polls();
    await eventually(() => (polls() >= seen + 2 ? true : undefined), 20_000);
    expect(await steps()).toEqual(before);
  }, 90_000);

  async function nameOf(vmid: number): Promise<string> {
    const { guest } = await gateway.graphql<{ guest: { name: string } }>(`{ guest(vmid: ${vmid}) { name } }`);
    return guest.name;
  }

  async function aDeclaredName(): Promise<{ readonly vmid: number; readonly name: string }> {
    interface Guest {
      vmid: number;
      name: string;
      template: boolean;
      findings: unknown[];
      declared: { field: string; value: string; source: string }[];
    }
    const query =
      '{ guests(first: 100) { nodes { vmid name template findings { id } declared { field value source } } } }';
    const { guests } = await gateway.graphql<{ guests: { nodes: Guest[] } }>(query);
    const found = guests.nodes.find(
      (guest) =>
        !guest.template &&
        guest.findings.length === 0 &&
        guest.declared.some(({ field, value }) => field === 'name' && value === guest.name),
    );
    if (found === undefined) throw new Error('no guest without a finding');
    return found;
  }
});
