import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

const SECRET = 'SIMULATED_TOKEN_OF_THE_ESTATE';

describe('a gateway that shows the simulated estate on its own PostgreSQL', () => {
  let cluster: MainCluster;
  let gateway: TestGateway;
  let folder: string;

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 12 });
    folder = await mkdtemp(join(tmpdir(), 'sankofa-secret-'));
    const secretFile = join(folder, 'token');
    await writeFile(secretFile, cluster.tokenSecret);
    gateway = await openGateway({ databaseUrl: '', env: { SIMULATE_GUESTS: '20', [`${SECRET}_FILE`]: secretFile } });
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const steps = async () => {
    const topics = ['drift.detected', 'drift.updated', 'drift.resolved', 'drift.reopened'];
    const events = await gateway.gateway.core.database.store.events.after(0n, topics, 2_000);
    return events.map(({ topic, subject }) => `${topic} ${subject.id}`);
  };
  const states = 'filter: { states: [OPEN, ACKNOWLEDGED, SUPPRESSED, RESOLVED, IGNORED] }';
  const look = () =>
    gateway.graphql<{ guests: { nodes: { cluster: string }[] }; driftFindings: { nodes: { id: string }[] } }>(
      `{ guests(first: 500) { nodes { cluster } } driftFindings(first: 500, ${states}) { nodes { id } } }`,
    );

  it('moves in with a sources.yaml, without a restart: nothing of the demo stays, and only the real drift is told', async () => {
    await eventually(async () => ((await steps()).length > 5 ? true : undefined), 40_000);
    for (const [name, text] of Object.entries(cluster.declared)) await writeFile(join(gateway.configDir, name), text);
    const yaml = cluster.sources.replace('SIMULATED_TOKEN', SECRET);
    await writeFile(join(gateway.configDir, 'sources.yaml'), yaml);
    const planted = cluster.simulator.plantedDrift.map(({ kind, subject }) => `${kind}:${subject}`).sort();
    const found = async () =>
      (await look()).driftFindings.nodes.map(({ id }) => id.slice(0, id.lastIndexOf(':'))).sort();
    await eventually(async () => ((await found()).join() === planted.join() ? true : undefined), 40_000);
    const { polls } = cluster;
    const seen = polls();
    await eventually(() => (polls() >= seen + 2 ? true : undefined));
    expect((await look()).guests.nodes.filter(({ cluster }) => cluster !== 'main')).toEqual([]);
    expect(await found()).toEqual(planted);
    expect((await steps()).length).toBe(planted.length);
    expect(gateway.gateway.core.simulated()).toEqual([]);
  }, 90_000);
});
