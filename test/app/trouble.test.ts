import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type Line, lineTo } from '../testkit/line.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

describe('a gateway in trouble', () => {
  let database: TestDatabase;
  let line: Line;
  let cluster: MainCluster;
  let simulator: Simulator;
  let gateway: TestGateway | undefined;

  beforeEach(async () => {
    database = await createTestDatabase();
    line = await lineTo(database.url);
    cluster = await startMainCluster({ nodes: 2, guests: 12 });
    ({ simulator } = cluster);
  });
  afterEach(async () => {
    await gateway?.close();
    gateway = undefined;
    await line.close();
    await database.drop();
    await cluster.stop();
  });

  const open = (sources: string) =>
    openGateway({
      files: { 'sources.yaml': sources },
      env: cluster.env,
      databaseUrl: line.url,
    });
  const guests = async (of: TestGateway) => of.gateway.core.replica.view().guests.size;

  it('makes settings hold that were saved while the database was away, once it is back', async () => {
    const opened = await open('clusters: []\n');
    gateway = opened;
    line.cut();
    await writeFile(join(opened.configDir, 'sources.yaml'), cluster.sources);
    await eventually(() => (opened.log.some((text) => text.includes('could not be applied')) ? true : undefined));
    line.mend();
    await eventually(async () => ((await guests(opened)) === 12 ? true : undefined));
  }, 60_000);

  it('learns of a cluster that nobody reaches, and of its guests when somebody does', async () => {
    simulator.faults('main').status500 = true;
    const opened = await open(cluster.sources);
    gateway = opened;
    // A run is in the store a moment before this process has learned it.
    const told = async () => {
      const { body } = await opened.rest('/v1/summary');
      return (body as { seed_unreachable: boolean }).seed_unreachable ? body : undefined;
    };
    expect(await eventually(told)).toMatchObject({ seed_unreachable: true, guests: { total: 0 } });
    const kept = await opened.gateway.core.database.store.runs.latest('proxmox:main');
    expect(kept).toMatchObject({ outcome: 'UNREACHABLE' });
    simulator.faults('main').status500 = false;
    await eventually(async () => ((await guests(opened)) === 12 ? true : undefined), 30_000);
  }, 60_000);

  it('stops though the cluster hangs in the middle of a run', async () => {
    simulator.faults('main').set({ paths: [{ match: '/config$', does: 'hang' }] });
    const opened = await open(cluster.sources);
    await eventually(() =>
      [...simulator.requests('main').keys()].some((path) => path.endsWith('/config')) ? true : undefined,
    );
    await opened.close();
  }, 20_000);
});
