import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, simulate } from './asking.js';

const TABLE = 'ALL_VMIDS_ENDPOINTS.md';
const KEYS = 'ip-addresses.conf';

async function written(options: Parameters<typeof simulate>[0] = {}) {
  const simulator = await simulate(options);
  const table = await readFile(join(simulator.declaredDir, TABLE), 'utf8');
  const keys = await readFile(join(simulator.declaredDir, KEYS), 'utf8');
  return { simulator, table, keys };
}

describe('the declared files of a simulated estate', () => {
  it('hold tables of Markdown: every row as wide as its header', async () => {
    const { table } = await written();
    const widths = table.split(/\n\n+/).flatMap((block) => {
      const lines = block.split('\n').filter((line) => line.startsWith('|'));
      return lines.length === 0 ? [] : [new Set(lines.map((line) => line.split('|').length)).size];
    });
    expect(widths.length).toBeGreaterThan(5);
    expect(new Set(widths)).toEqual(new Set([1]));
    expect(table).toMatch(/\| 1\d\d\d-1\d\d\d \|/);
    expect(table).toContain('~~');
  });

  it('hold lines that a shell understands', async () => {
    const { keys } = await written();
    const line = /^(?:export )?[A-Z][A-Z0-9_]*=(?:"?(?:[\d.]+|\$\{\w+\})"?|\$\{\w+:-[\d.]+\})(?: {2}# .*)?$/;
    const odd = keys.split('\n').filter((one) => one !== '' && !one.startsWith('#') && !line.test(one));
    expect(odd).toEqual([]);
    expect(keys).toMatch(/SEED_NODE="\$\{NODE_PVE01\}"/);
  });

  it('plant drift of every kind, and name each guest for one of them only', async () => {
    const { simulator } = await written();
    expect(new Set(simulator.plantedDrift.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['GUEST_NOT_DECLARED', 'GUEST_MISSING', 'NAME_DIFFERS', 'NODE_DIFFERS', 'STATUS_DIFFERS'],
        ...['ADDRESS_DIFFERS', 'ADDRESS_NOT_DECLARED', 'DECLARED_ADDRESS_UNUSED'],
        ...['DUPLICATE_ADDRESS', 'DUPLICATE_MAC', 'DECLARATIONS_CONFLICT'],
      ]),
    );
    const subjects = simulator.plantedDrift.map(({ subject }) => subject.replace(/@1$/, ''));
    expect(new Set(subjects).size).toBe(subjects.length);
  });

  it('do not name a guest that is planted as not declared', async () => {
    const { simulator, table } = await written();
    for (const { kind, subject } of simulator.plantedDrift) {
      const vmid = /\/(\d+)/.exec(subject)?.[1];
      if (kind === 'GUEST_NOT_DECLARED') expect(table).not.toMatch(new RegExp(`\\| \`?${vmid}\`? \\|`));
      if (kind === 'GUEST_MISSING') expect(table).toMatch(new RegExp(`\\| \`?${vmid}\`? \\|`));
    }
  });

  it('are the same at every start of the same estate', async () => {
    const [one, other] = [await written(), await written()];
    expect([other.table, other.keys, other.simulator.plantedDrift]).toEqual([
      one.table,
      one.keys,
      one.simulator.plantedDrift,
    ]);
  });

  it('name keys of several clusters apart', async () => {
    const { keys } = await written({ nodes: 6, guests: 160, clusters: 3, seed: 7 });
    const names = keys.split('\n').flatMap((line) => /^(?:export )?(\w+)=/.exec(line)?.[1] ?? []);
    const twice = names.filter((name, at) => names.indexOf(name) !== at);
    expect(twice).toEqual([expect.stringMatching(/_VIP$/)]);
  });
});

describe('files that are there already', () => {
  it('keep what somebody edited', async () => {
    const declaredDir = await folder();
    const { table } = await written({ declaredDir });
    await writeFile(join(declaredDir, TABLE), `${table}\nedited`);
    expect((await written({ declaredDir })).table).toBe(`${table}\nedited`);
  });

  it('keep a file that somebody wrote anew, without our mark', async () => {
    const declaredDir = await folder();
    await writeFile(join(declaredDir, KEYS), 'MINE=10.0.0.1\n');
    expect((await written({ declaredDir })).keys).toBe('MINE=10.0.0.1\n');
  });

  it('are written anew for an estate of another size or seed, and where one is gone', async () => {
    const declaredDir = await folder();
    const { table, keys } = await written({ declaredDir });
    await rm(join(declaredDir, KEYS));
    const again = await written({ declaredDir });
    expect([again.table, again.keys]).toEqual([table, keys]);
    const other = await written({ declaredDir, guests: 30 });
    expect(other.table).not.toBe(table);
    expect(other.table).toContain('30 guests');
  });
});
