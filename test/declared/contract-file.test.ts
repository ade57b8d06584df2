import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONTRACT_PATH,
  DEFAULT_CONTRACT,
  DEFAULT_CONTRACT_TEXT,
  parseContract,
  readContract,
} from '../../src/declared/contract-file.js';

const withCollector = (terms: string) => `{\n"version": 2,\n"collectors": { "npm":\n${terms} }\n}`;

describe('the collectors’ contract', () => {
  it('has a default, which is the file that is shipped', async () => {
    expect(await readFile(join(import.meta.dirname, '../../config', CONTRACT_PATH), 'utf8')).toBe(
      DEFAULT_CONTRACT_TEXT,
    );
    expect(parseContract(DEFAULT_CONTRACT_TEXT)).toEqual({ contract: DEFAULT_CONTRACT, problems: [] });
    expect(DEFAULT_CONTRACT.collectors).toEqual({
      proxmox_guest_ipam: {
        refreshSeconds: 3600,
        staleAfterSeconds: 7200,
        onFailure: 'keep_last',
        enabledBy: undefined,
      },
      ip_neigh: { refreshSeconds: 900, staleAfterSeconds: 1800, onFailure: 'omit', enabledBy: 'IT_COLLECT_IP_NEIGH' },
      hardware: { refreshSeconds: 604800, staleAfterSeconds: 1209600, onFailure: 'keep_last', enabledBy: undefined },
      npm: { refreshSeconds: 3600, staleAfterSeconds: 7200, onFailure: 'keep_last', enabledBy: undefined },
      unifi: { refreshSeconds: 3600, staleAfterSeconds: 7200, onFailure: 'keep_last', enabledBy: undefined },
      netbox: { refreshSeconds: 3600, staleAfterSeconds: 7200, onFailure: 'keep_last', enabledBy: undefined },
    });
  });

  it('keeps the file byte for byte, with its hash, and takes its terms', () => {
    const text = `\uFEFF${withCollector('{"refresh_seconds":60,"on_failure":"omit","enabled_by":"MY_SWITCH"}')}\r\n`;
    expect(parseContract(text)).toEqual({
      problems: [],
      contract: {
        version: 2,
        text,
        hash: createHash('sha256').update(text).digest('hex'),
        collectors: {
          ...DEFAULT_CONTRACT.collectors,
          npm: { refreshSeconds: 60, staleAfterSeconds: 120, onFailure: 'omit', enabledBy: 'MY_SWITCH' },
        },
      },
    });
  });

  it.each([
    ['{"refresh_seconds":0}', 4, 'collectors.npm.refresh_seconds must be a whole number from 1 to 31536000'],
    ['{"refresh_seconds":"1h"}', 4, 'collectors.npm.refresh_seconds must be a whole number from 1 to 31536000'],
    ['{"on_failure":"omit"}', 3, 'collectors.npm.refresh_seconds is missing'],
    [
      '{"refresh_seconds":60,"stale_after_seconds":59}',
      4,
      'collectors.npm.stale_after_seconds must not be less than refresh_seconds (60): all would be stale always',
    ],
    ['{"refresh_seconds":60,"on_failure":"retry"}', 4, 'collectors.npm.on_failure must be one of keep_last, omit'],
    [
      '{"refresh_seconds":60,"enabled_by":"not a name"}',
      4,
      'collectors.npm.enabled_by must be the name of an environment variable',
    ],
    [
      '{"refresh_seconds":60,"stale_after":120}',
      4,
      'collectors.npm.stale_after is not a setting that exists, did you mean "stale_after_seconds"?',
    ],
    ['[]', 3, 'collectors.npm must be a map of keys and values'],
  ])('%s: reported, and its default holds', (terms, line, message) => {
    const { contract, problems } = parseContract(withCollector(terms));
    expect(problems).toEqual([{ location: `${CONTRACT_PATH}:${line}`, message }]);
    expect(contract.version).toBe(2);
    expect(contract.collectors.npm.enabledBy).toBe(undefined);
    expect(contract.collectors.npm.staleAfterSeconds).toBe(2 * contract.collectors.npm.refreshSeconds);
  });

  it.each([
    ['{"collectors":{}}', 'version is missing'],
    ['{"version":"1","collectors":{}}', 'version must be a whole number from 1 to 1000000000'],
    ['{"version":1}', 'collectors is missing'],
    ['{"version":1,"collectors":[]}', 'collectors must be a map of keys and values'],
    [
      '{"version":1,"collectors":{"nmp":{"refresh_seconds":1}}}',
      'collectors.nmp is not a setting that exists, did you mean "npm"?',
    ],
  ])('%s', (text, message) => {
    expect(parseContract(text)).toMatchObject({
      contract: { version: 1, collectors: DEFAULT_CONTRACT.collectors, text },
      problems: [{ location: `${CONTRACT_PATH}:1`, message }],
    });
  });

  it.each(['', '{', 'version: 1', '[]', '"x"'])('%j is no contract: the default holds and is served', (text) => {
    const { contract, problems } = parseContract(text);
    expect(contract).toEqual(DEFAULT_CONTRACT);
    expect(problems).toEqual([
      { location: CONTRACT_PATH, message: expect.stringMatching(/: the default contract holds$/) },
    ]);
  });

  it('reads any JSON without failing', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseContract(text)));
  });

  it('may be missing, or be no text', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'contract-'));
    expect(await readContract(dir)).toEqual({ contract: DEFAULT_CONTRACT, problems: [] });
    await mkdir(join(dir, 'it-operations'));
    await writeFile(join(dir, CONTRACT_PATH), Buffer.from([0xff, 0xfe]));
    expect((await readContract(dir)).problems).toEqual([
      { location: CONTRACT_PATH, message: 'is not UTF-8: the default contract holds' },
    ]);
    await rm(dir, { recursive: true });
  });
});
