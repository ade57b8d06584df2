import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { openGateway } from './open-gateway.js';

/** A host that cannot be asked, as its key is not there. */
const SOURCES = `
clusters: []
hosts:
  - name: pve1
    cluster: main
    host: 127.0.0.1
    user: it-read
    keyFile: not-there
    hostKeyFingerprint: "SHA256:hFhHgsDYXTbZGzQkyw8hOLVhYOGtCTBbnKoxmvSHeqI"
`;
const OFF = 'it is switched off: set IT_COLLECT_IP_NEIGH=1';

describe('neighbours whose hosts are named while their switch is off', () => {
  it('are told to be switched off, wherever somebody asks', async () => {
    const gateway = await openGateway({ files: { 'sources.yaml': SOURCES } });
    try {
      const { collectors } = await gateway.graphql<{ collectors: readonly { name: string }[] }>(
        '{ collectors { name outcome reason } }',
      );
      expect(collectors.filter(({ name }) => name === 'IP_NEIGH' || name === 'NPM')).toEqual([
        { name: 'IP_NEIGH', outcome: 'DISABLED', reason: OFF },
        { name: 'NPM', outcome: 'NOT_CONFIGURED', reason: 'no source is configured for it' },
      ]);
      expect((await gateway.rest('/v1/inventory/neighbours')).body).toMatchObject({ notes: [OFF], items: [] });
      const { collectionRun } = await gateway.graphql<{ collectionRun: unknown }>(
        'mutation { collectionRun(input: { collectors: [IP_NEIGH] }) { userErrors { code message } } }',
      );
      expect(collectionRun).toEqual({ userErrors: [{ code: 'NOT_FOUND', message: `ip_neigh: ${OFF}` }] });
    } finally {
      await gateway.close();
    }
  }, 30_000);
});

describe('collecting once', () => {
  let database: TestDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'sankofa-collect-'));
    await writeFile(join(folder, 'sources.yaml'), SOURCES);
  });
  afterEach(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function collected(collector: string, env: Readonly<Record<string, string>> = {}) {
    const lines: string[] = [];
    const places = { DATABASE_URL: database.url, DATA_DIR: join(folder, 'data'), CONFIG_DIR: folder };
    const config = readConfig({ ...places, LOG_LEVEL: 'fatal', ...env });
    const code = await collect(config, [collector], {}, new AbortController().signal, (line) => lines.push(line));
    return { code, lines };
  }

  it('fails where a source does not answer; never where its word is only left out, and tells why all the same', async () => {
    const neighbours = await collected('ip_neigh', { IT_COLLECT_IP_NEIGH: '1' });
    expect(neighbours).toEqual({
      code: 0,
      lines: [expect.stringMatching(/^ip_neigh:main\/pve1 {2}UNREACHABLE .*not-there/)],
    });
    const hardware = await collected('hardware');
    expect(hardware).toEqual({
      code: 1,
      lines: [expect.stringMatching(/^hardware:main\/pve1 {2}UNREACHABLE .*not-there/)],
    });
  }, 30_000);

  it('says of what is switched off that it is', async () => {
    expect(await collected('ip_neigh')).toEqual({ code: 0, lines: [`ip_neigh  ${OFF}`] });
    expect(await collected('npm')).toEqual({ code: 0, lines: ['nothing is configured to collect from'] });
  }, 30_000);
});
