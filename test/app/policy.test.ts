import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCore } from '../../src/app/core.js';
import { readConfig } from '../../src/config.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { telemetry } from '../../src/telemetry.js';
import { type Line, lineTo } from '../testkit/line.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

const POLICY = 'policy.yaml';
const severity = (word: string) => `severities: { NAME_DIFFERS: ${word} }\n`;
const nameSeverity = (gateway: TestGateway) => gateway.gateway.core.policy().severities.NAME_DIFFERS;
const save = (gateway: TestGateway, text: string) => writeFile(join(gateway.configDir, POLICY), text);
const said = (gateway: TestGateway, words: string) => gateway.log.filter((line) => line.includes(words)).length;
const policyVersions = async (gateway: TestGateway) => {
  const { store } = gateway.gateway.core.database;
  const { opened } = await store.versions.open();
  const ended = await store.versions.endedSince(0, 'policy');
  return [...ended.map(({ version }) => version), ...opened.filter(({ kind }) => kind === 'policy')].map(
    ({ body }) => (body as { text: string }).text,
  );
};
const notes = async (gateway: TestGateway) => {
  const { body } = await gateway.rest('/v1/summary');
  return (body as { notes: string[] }).notes.filter((note) => note.includes(POLICY));
};
const metric = async (gateway: TestGateway, sample: string) => {
  const text = await (await fetch(`${gateway.gateway.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
};

describe('two gateways, each with a policy.yaml of its own', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let database: TestDatabase;
  let one: TestGateway;
  let other: TestGateway;
  let line: Line;
  const both = () => [one, other];

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 20 });
    ({ simulator } = cluster);
    database = await createTestDatabase();
    line = await lineTo(database.url);
    const env = { ...cluster.env, HOOK_SECRET: 'the key of the hook' };
    one = await openGateway({ files: { ...cluster.files, [POLICY]: severity('INFO') }, env, databaseUrl: line.url });
    other = await openGateway({
      files: { ...cluster.files, [POLICY]: severity('WARNING') },
      env,
      databaseUrl: database.url,
    });
    const planted = simulator.plantedDrift.length;
    for (const gateway of both())
      await eventually(async () => ((await severities(gateway)).length === planted ? true : undefined), 30_000);
  }, 60_000);

  afterAll(async () => {
    await one?.close();
    await other?.close();
    await line?.close();
    await database?.drop();
    await cluster?.stop();
  });

  /** `id severity` of every finding, as a gateway answers them. */
  const severities = async (gateway: TestGateway) => {
    const { driftFindings } = await gateway.graphql<{ driftFindings: { nodes: { id: string; severity: string }[] } }>(
      '{ driftFindings(first: 500) { nodes { id severity } } }',
    );
    return driftFindings.nodes.map(({ id, severity: word }) => `${id} ${word}`).sort();
  };
  const names = async (gateway: TestGateway) =>
    (await severities(gateway)).filter((text) => text.startsWith('NAME_DIFFERS:'));
  const updated = async () => {
    const events = await other.gateway.core.database.store.events.after(0n, ['drift.updated'], 500);
    return events.map(({ payload }) => (payload as { findingId: string }).findingId);
  };

  it('go by the file of the one that holds its lock, and the other is told that nobody goes by its own', async () => {
    expect(both().map(nameSeverity)).toEqual(['INFO', 'INFO']);
    expect(await policyVersions(one)).toEqual([severity('INFO')]);
    await eventually(() => said(other, 'is not what is in force') || undefined);
    expect(said(other, 'is not what is in force')).toBe(1);
    expect(said(one, 'is not what is in force')).toBe(0);
    expect(await metric(other, 'sankofa_policy_differs')).toBe(1);
    expect(await metric(one, 'sankofa_policy_differs')).toBe(0);
  });

  it('a saved change holds on both, is compared once, and the findings are the same whomever one asks', async () => {
    const before = await names(one);
    expect(before.length).toBeGreaterThan(0);
    const told = (await updated()).length;
    await save(one, severity('CRITICAL'));
    const expected = before.map((text) => text.replace(/INFO$/, 'CRITICAL'));
    for (const gateway of both())
      await eventually(async () => ((await names(gateway)).join() === expected.join() ? true : undefined));
    expect(both().map(nameSeverity)).toEqual(['CRITICAL', 'CRITICAL']);
    expect((await updated()).slice(told).sort()).toEqual(expected.map((text) => text.split(' ')[0]));
    expect(await policyVersions(other)).toEqual([severity('INFO'), severity('CRITICAL')]);
  }, 30_000);

  it('whom to tell is learned by both', async () => {
    const targets = async (gateway: TestGateway) =>
      (
        await gateway.graphql<{ notificationTargets: { name: string }[] }>('{ notificationTargets { name } }')
      ).notificationTargets.map(({ name }) => name);
    await save(one, `${severity('CRITICAL')}notify:\n  - { name: portal, url: "http://127.0.0.1:9/hook" }\n`);
    for (const gateway of both())
      await eventually(async () => ((await targets(gateway)).length > 0 ? true : undefined));
    expect(await Promise.all(both().map(targets))).toEqual([['portal'], ['portal']]);
    await save(one, severity('CRITICAL'));
    for (const gateway of both())
      await eventually(async () => ((await targets(gateway)).length === 0 ? true : undefined));
  }, 30_000);

  it('a file that says the same again is no new version', async () => {
    const runs = async () =>
      (await metric(
        one,
        'sankofa_collector_run_seconds_count{source="policy:policy.yaml",mode="POLL",outcome="OBSERVED"}',
      )) ?? 0;
    const [before, seen] = [await policyVersions(one), await runs()];
    await save(one, severity('CRITICAL'));
    await eventually(async () => ((await runs()) > seen ? true : undefined));
    expect(await policyVersions(one)).toEqual(before);
  }, 30_000);

  it.each([
    [
      'has a bad entry',
      (gateway: TestGateway) => save(gateway, 'severities: { NAME_DIFFERS: LOUD }\n'),
      ':1: severities',
    ],
    ['is gone', (gateway: TestGateway) => unlink(join(gateway.configDir, POLICY)), 'policy.yaml is gone'],
  ])(
    'while the file %s, the last good policy stays on both, and both say so',
    async (_, spoil, words) => {
      const lines = both().map((gateway) => said(gateway, 'the last good policy stays in force'));
      await spoil(one);
      for (const [i, gateway] of both().entries()) {
        const [note] = await eventually(async () => {
          const all = await notes(gateway);
          return all[0]?.includes(words) ? all : undefined;
        });
        expect(note).toMatch(/; the last good policy \([0-9a-f]{12}, since 20.*Z\) stays in force$/);
        expect(said(gateway, 'the last good policy stays in force')).toBe((lines[i] ?? 0) + 1);
      }
      expect(await metric(one, 'sankofa_policy_differs')).toBe(1);
      expect(await metric(other, 'sankofa_collector_up{source="policy:policy.yaml"}')).toBe(0);
      expect(both().map(nameSeverity)).toEqual(['CRITICAL', 'CRITICAL']);
      await save(one, severity('CRITICAL'));
      for (const gateway of both())
        await eventually(async () => ((await notes(gateway)).length === 0 ? true : undefined));
      expect(await metric(other, 'sankofa_collector_up{source="policy:policy.yaml"}')).toBe(1);
    },
    30_000,
  );

  it('a command beside them goes by the same policy, whatever its own file says', async () => {
    const configDir = await mkdtemp(join(tmpdir(), 'sankofa-policy-'));
    await writeFile(join(configDir, POLICY), 'severities: 5\n');
    const env = { DATABASE_URL: database.url, DATA_DIR: join(configDir, 'data'), CONFIG_DIR: configDir };
    const core = await openCore(readConfig(env), telemetry({ level: 'silent' }));
    expect(core.policy().severities).toEqual({ NAME_DIFFERS: 'CRITICAL' });
    await core.stop();
    await rm(configDir, { recursive: true });
    expect(both().map(nameSeverity)).toEqual(['CRITICAL', 'CRITICAL']);
  });

  it('the other takes over with its own file when the one that reads dies, and the dead one goes by that when it is back', async () => {
    expect(nameSeverity(other)).toBe('CRITICAL');
    line.cut();
    await eventually(() => (nameSeverity(other) === 'WARNING' ? true : undefined));
    expect(nameSeverity(one)).toBe('CRITICAL');
    line.mend();
    await eventually(() => (nameSeverity(one) === 'WARNING' ? true : undefined));
    await save(other, severity('INFO'));
    await eventually(() => (both().every((gateway) => nameSeverity(gateway) === 'INFO') ? true : undefined));
    await eventually(async () => ((await metric(one, 'sankofa_policy_differs')) === 1 ? true : undefined));
    // What is saved where nobody reads changes nothing: its replica says so, and the one that reads is asked for nothing.
    const told = said(one, 'is not what is in force');
    await save(one, severity('WARNING'));
    await eventually(() => (said(one, 'is not what is in force') > told ? true : undefined));
    expect(both().map(nameSeverity)).toEqual(['INFO', 'INFO']);
  }, 60_000);

  it('one that starts with a bad file goes by the policy in force; and by the last good one where it starts alone', async () => {
    await save(one, 'severities: 5\n');
    await one.restart();
    expect(nameSeverity(one)).toBe('INFO');
    await eventually(() => said(one, 'in force is what another replica reads') || undefined);
    expect(await notes(one)).toEqual([]);
    await other.gateway.stop();
    await one.restart();
    expect(nameSeverity(one)).toBe('INFO');
    expect(await notes(one)).toEqual([expect.stringContaining('policy.yaml:1: severities')]);
    await save(one, severity('WARNING'));
    await eventually(() => (nameSeverity(one) === 'WARNING' ? true : undefined));
    expect(await notes(one)).toEqual([]);
    await other.restart();
    expect(nameSeverity(other)).toBe('WARNING');
  }, 60_000);
});

describe('a policy.yaml on an empty database', () => {
  const open: TestGateway[] = [];
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.close();
  });
  afterAll(() => database.drop());
  const opening = (policy?: string) => ({
    files: { 'sources.yaml': 'clusters: []\n', ...(policy !== undefined && { [POLICY]: policy }) },
    databaseUrl: database.url,
  });
  const start = async (policy?: string) => {
    const gateway = await openGateway(opening(policy));
    open.push(gateway);
    return gateway;
  };

  it('that is bad stops the start, with every problem', async () => {
    await expect(openGateway(opening('severities: 5\nsettle: 5\n'))).rejects.toMatchObject({
      name: 'SettingsError',
      problems: [expect.stringMatching(/^policy.yaml:1: severities/), expect.stringMatching(/^policy.yaml:2: settle/)],
    });
  });

  it('that is not there leaves every default in force, and one that appears holds; a bad one before it does not', async () => {
    const gateway = await start();
    expect(gateway.gateway.core.policy()).toEqual(DEFAULT_POLICY);
    expect(await notes(gateway)).toEqual([]);
    await save(gateway, 'severities: 5\n');
    const [note] = await eventually(async () => ((await notes(gateway)).length > 0 ? notes(gateway) : undefined));
    expect(note).toMatch(/^policy.yaml:1: severities .*; the defaults stay in force$/);
    // Nothing can be used and nothing older is known: whoever starts now cannot know what is meant.
    await expect(openGateway(opening())).rejects.toMatchObject({ name: 'SettingsError' });
    await save(gateway, severity('CRITICAL'));
    await eventually(() => (nameSeverity(gateway) === 'CRITICAL' ? true : undefined));
  }, 30_000);

  it('that is gone at the next start lets nothing lapse', async () => {
    const gateway = await start();
    expect(nameSeverity(gateway)).toBe('CRITICAL');
    expect(await notes(gateway)).toEqual([expect.stringContaining('policy.yaml is gone; the last good policy')]);
  });

  it('is one for gateways that start at the same moment with two', async () => {
    const words = ['CRITICAL', 'WARNING'];
    const gateways = await Promise.all(words.map((word) => start(severity(word))));
    const [here, there] = gateways.map(nameSeverity);
    expect(words).toContain(here);
    // The one that waits may have begun with what was known before.
    await eventually(() => (new Set(gateways.map(nameSeverity)).size === 1 ? true : undefined));
    expect([here, there]).not.toContain(undefined);
  }, 30_000);
});
