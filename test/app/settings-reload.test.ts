import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type MainCluster, startMainCluster, TABLE } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly severity: string;
}

describe('settings that change while the gateway runs', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let gateway: TestGateway;
  let sources: string;
  let planted: readonly string[];

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 20 });
    ({ simulator } = cluster);
    ({ sources } = cluster);
    gateway = await openGateway({
      files: cluster.files,
      env: cluster.env,
    });
    await eventually(async () => ((await living()).length >= simulator.plantedDrift.length ? true : undefined), 30_000);
    planted = ids(await living());
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await cluster?.stop();
  });

  const save = (name: string, text: string) => writeFile(join(gateway.configDir, name), text);
  const polls = () => cluster.polls();
  const ids = (findings: readonly Finding[]) => findings.map(({ id }) => id).sort();
  const living = async (states = '[OPEN, ACKNOWLEDGED, SUPPRESSED, IGNORED]') =>
    (
      await gateway.graphql<{ driftFindings: { nodes: Finding[] } }>(
        `{ driftFindings(first: 500, filter: { states: ${states} }) { nodes { id kind state severity } } }`,
      )
    ).driftFindings.nodes;
  const guests = async () =>
    (await gateway.graphql<{ guests: { nodes: { id: string }[] } }>('{ guests(first: 500) { nodes { id } } }')).guests
      .nodes;
  const isReached = async () => {
    const { body } = await gateway.rest('/v1/summary');
    return !(body as { seed_unreachable: boolean }).seed_unreachable;
  };
  const steps = async () => {
    const topics = ['drift.detected', 'drift.updated', 'drift.resolved', 'drift.reopened'];
    const events = await gateway.gateway.core.database.store.events.after(0n, topics, 2_000);
    return events.map(({ topic, payload }) => `${topic} ${(payload as { findingId: string }).findingId}`);
  };
  const morePolls = async (n: number) => {
    const seen = polls();
    await eventually(() => (polls() >= seen + n ? true : undefined), 20_000);
  };

  it('a sources.yaml that is gone, or cannot be read, retires nothing', async () => {
    const before = await steps();
    await unlink(join(gateway.configDir, 'sources.yaml'));
    await eventually(async () => ((await isReached()) ? undefined : true));
    await save('sources.yaml', 'clusters:\n  - name: "main\n');
    await eventually(() => (gateway.log.some((text) => text.includes('stay in force')) ? true : undefined));
    expect((await guests()).length).toBe(20);
    await save('sources.yaml', sources);
    await eventually(async () => ((await isReached()) ? true : undefined));
    await morePolls(2);
    expect(await steps()).toEqual(before);
  }, 60_000);

  it('a secret that is missing makes the cluster unreachable, not retired', async () => {
    const before = await steps();
    await save('sources.yaml', sources.replace('SIMULATED_TOKEN', 'NO_SUCH_TOKEN'));
    await eventually(async () => ((await isReached()) ? undefined : true));
    expect((await guests()).length).toBe(20);
    await save('sources.yaml', sources);
    await eventually(async () => ((await isReached()) ? true : undefined));
    await morePolls(2);
    expect(await steps()).toEqual(before);
  }, 60_000);

  it('a cluster named no longer retires with its findings, and named again its guests are who they were', async () => {
    const before = (await guests()).map(({ id }) => id);
    const told = (await steps()).length;
    await save('sources.yaml', 'clusters: []\n');
    await eventually(async () => ((await guests()).length === 0 ? true : undefined));
    await eventually(async () => ((await living()).length === 0 ? true : undefined));
    expect((await steps()).slice(told).filter((step) => !step.startsWith('drift.resolved'))).toEqual([]);
    // Its guests go first, then what else was known of it.
    const remains = async () => {
      const { opened } = await gateway.gateway.core.database.store.versions.open();
      return opened.filter(({ kind, cluster }) => cluster === 'main' && kind !== 'guest.identity');
    };
    await eventually(async () => ((await remains()).length === 0 ? true : undefined));

    await save('sources.yaml', sources);
    await eventually(async () => ((await guests()).length === before.length ? true : undefined), 30_000);
    expect((await guests()).map(({ id }) => id)).toEqual(before);
    await eventually(async () => ((await living()).length >= planted.length ? true : undefined), 30_000);
    expect(ids(await living())).toEqual(planted);
    const reopened = (await steps()).slice(told).filter((step) => step.startsWith('drift.detected'));
    expect(reopened).toEqual([]);
  }, 90_000);

  it('a wrong field that breaks nothing is told beside what the cluster says, until it is mended', async () => {
    const before = await steps();
    const told = async () => {
      const { collectors } = await gateway.graphql<{
        collectors: { sources: { name: string; outcome: string; notes: string[] }[] }[];
      }>('{ collectors { sources { name outcome notes } } }');
      const main = collectors.flatMap((collector) => collector.sources).find(({ name }) => name === 'proxmox:main');
      return { outcome: main?.outcome, notes: main?.notes.filter((note) => note.startsWith('sources.yaml:')) };
    };
    expect(await told()).toEqual({ outcome: 'OBSERVED', notes: [] });
    await save('sources.yaml', `${sources}    readsPerPoll: lots\n    nonsense: 1\n`);
    await eventually(async () => ((await told()).notes?.length === 2 ? true : undefined));
    await morePolls(2);
    const line = sources.split('\n').length;
    expect(await told()).toEqual({
      outcome: 'OBSERVED',
      notes: [
        `sources.yaml:${line + 1}: clusters[0].nonsense is not a setting that exists`,
        `sources.yaml:${line}: clusters[0].readsPerPoll must be a whole number from 1 to 10000`,
      ],
    });
    await save('sources.yaml', sources);
    await eventually(async () => ((await told()).notes?.length === 0 ? true : undefined));
    await morePolls(2);
    expect(await steps()).toEqual(before);
  }, 60_000);

  it('a declared file that is switched off retires, and is read anew when it is switched on', async () => {
    // An address that nobody declares meanwhile is another finding's matter afterwards, and stays.
    const ofGuests = (all: readonly string[]) => all.filter((id) => !id.startsWith('ADDRESS_NOT_DECLARED'));
    const now = async () => ofGuests(ids(await living()));
    await save('sources.yaml', `${sources}declared: { ${TABLE}: off }\n`);
    await eventually(async () => ((await now()).some((id) => id.startsWith('GUEST_')) ? undefined : true));
    await save('sources.yaml', sources);
    await eventually(async () => ((await now()).join() === ofGuests(planted).join() ? true : undefined));
  }, 60_000);

  it('a policy that is saved holds at once for what is known', async () => {
    const finding = (await living()).find(({ kind, severity }) => kind === 'NAME_DIFFERS' && severity === 'INFO');
    if (finding === undefined) throw new Error('nothing planted has another name');
    await save('policy.yaml', 'severities: { NAME_DIFFERS: CRITICAL }\n');
    const severityOf = async () => (await living()).find(({ id }) => id === finding.id)?.severity;
    await eventually(async () => ((await severityOf()) === 'CRITICAL' ? true : undefined));
    await save('policy.yaml', 'severities: {}\n');
    await eventually(async () => ((await severityOf()) === 'INFO' ? true : undefined));
  }, 60_000);

  it('a new version of the contract is an event', async () => {
    const contracts = async () => {
      const events = await gateway.gateway.core.database.store.events.after(0n, ['contract.changed'], 10);
      return events.map(({ payload }) => payload);
    };
    const { body } = await gateway.rest('/v1/collector-contract');
    const contract = body as { version: number };
    await mkdir(join(gateway.configDir, 'it-operations'), { recursive: true });
    await save('it-operations/live-collectors-contract.json', JSON.stringify({ ...contract, version: 7 }));
    await eventually(async () => ((await contracts()).length === 1 ? true : undefined));
    expect(await contracts()).toMatchObject([{ from: contract.version, to: 7 }]);
  }, 60_000);
});
