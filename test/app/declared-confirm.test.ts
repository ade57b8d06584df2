import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { eventually, openGateway, sourcesYaml, type TestGateway } from './open-gateway.js';

const TABLE = 'ALL_VMIDS_ENDPOINTS.md';

describe('a declared file that lost many rows at once', () => {
  let simulator: Simulator;
  let gateway: TestGateway;
  let files: string;
  const CONFIRM = `mutation { declaredConfirm(input: { source: "${TABLE}", reason: "the lab is gone" }) { userErrors { code } } }`;

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'sankofa-declared-'));
    simulator = await startSimulator({
      nodes: 2,
      guests: 20,
      declaredDir: files,
      live: false,
      now: Date.now,
      clusterName: 'main',
    });
    gateway = await openGateway({
      files: {
        'sources.yaml': sourcesYaml([{ name: 'main', simulator }]),
        [TABLE]: await readFile(join(files, TABLE), 'utf8'),
      },
      env: { SIMULATED_TOKEN: simulator.clusters[0]?.tokenSecret ?? '' },
    });
    await eventually(async () => ((await declaredGuests()) > 0 ? true : undefined), 30_000);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await simulator?.stop();
    await rm(files, { recursive: true, force: true });
  });

  const path = () => join(gateway.configDir, TABLE);
  const kept = () => gateway.gateway.core.replica.view().declared.get(`declared:${TABLE}`);
  const declaredGuests = async () => kept()?.rows.size ?? 0;
  const confirm = async () =>
    (await gateway.graphql<{ declaredConfirm: { userErrors: { code: string }[] } }>(CONFIRM)).declaredConfirm
      .userErrors;

  it('is believed at once when a person says so, also where the gateway was started anew meanwhile; and only that content', async () => {
    const whole = await readFile(path(), 'utf8');
    const rows = await declaredGuests();
    expect(await confirm()).toEqual([{ code: 'CONFLICT' }]);
    const lines = whole.split('\n');
    const isRow = (text: string) => /^\|\s*`?\d/.test(text);
    const half = lines.filter((text, i) => !isRow(text) || i % 2 === 0).join('\n');
    await writeFile(path(), half);
    await eventually(() => (kept()?.state.outcome === 'UNREACHABLE' ? true : undefined));
    expect(await declaredGuests()).toBe(rows);

    await gateway.restart();
    expect(await confirm()).toEqual([]);
    await eventually(() => (kept()?.state.outcome === 'OBSERVED' ? true : undefined), 10_000);
    expect(await declaredGuests()).toBeLessThan(rows);

    // The rows come back, and are lost again by an accident: nobody spoke of that.
    await writeFile(`${path()}.new`, whole);
    await rename(`${path()}.new`, path());
    await eventually(async () => ((await declaredGuests()) === rows ? true : undefined));
    await writeFile(path(), half);
    await eventually(() => (kept()?.state.outcome === 'UNREACHABLE' ? true : undefined));
    expect(await declaredGuests()).toBe(rows);
    await gateway.restart();
    await eventually(() => (kept()?.state.outcome === 'UNREACHABLE' ? true : undefined));
    expect(await declaredGuests()).toBe(rows);
  }, 60_000);
});
