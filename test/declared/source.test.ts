import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { declaredFile } from '../../src/declared/source.js';
import { watchPaths } from '../../src/declared/watch.js';
import type { Declaration, DeclaredOutcome } from '../../src/domain/declaration.js';
import { FIRST_LOOK } from '../../src/domain/time.js';

const TABLE = 'ALL_VMIDS_ENDPOINTS.md';
const ADDRESSES = 'ip-addresses.conf';
const HEADER = '| VMID | Name | IP |\n|---|---|---|\n';
const table = (from: number, count: number) =>
  HEADER + Array.from({ length: count }, (_, i) => `| ${from + i} | vm-${i} | 10.0.0.${i + 1} |\n`).join('');
const addresses = (count: number, prefix = 'HOST') =>
  Array.from({ length: count }, (_, i) => `${prefix}_${i}=10.0.0.${i + 1}\n`).join('');

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'declared-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const look = (
  name: typeof TABLE | typeof ADDRESSES,
  rows: readonly Declaration[] = [],
  confirmedHash: string | null = null,
): Promise<DeclaredOutcome> =>
  declaredFile({ name, path: join(dir, name) }, { now: () => 1000, settleMs: 5 }).collect(
    { rows: rows.map((row) => ({ ...row, since: FIRST_LOOK })), confirmedHash },
    new AbortController().signal,
  );
const write = (name: string, text: string) => writeFile(join(dir, name), text);
async function good(name: typeof TABLE | typeof ADDRESSES, text: string): Promise<readonly Declaration[]> {
  await write(name, text);
  const outcome = await look(name);
  if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
  return outcome.value.rows;
}

describe('a declared file', () => {
  it('says what it declares', async () => {
    await write(TABLE, table(100, 2));
    expect(await look(TABLE)).toMatchObject({
      kind: 'observed',
      at: 1000,
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      value: {
        askedAt: 1000,
        declaresGuests: true,
        declaresAddresses: true,
        rowCount: 2,
        problems: [],
        keyConflicts: [],
      },
    });
    await write(ADDRESSES, 'A=10.0.0.1\nA=10.0.0.2\n');
    expect(await look(ADDRESSES)).toMatchObject({
      kind: 'observed',
      value: { declaresGuests: false, declaresAddresses: true, rowCount: 1, keyConflicts: [{ label: 'A' }] },
    });
  });

  it.each([
    ['was never there', undefined, 'ALL_VMIDS_ENDPOINTS.md is not there'],
    ['is empty', '', 'ALL_VMIDS_ENDPOINTS.md: no row in it declares anything'],
    ['has a header alone', HEADER, 'ALL_VMIDS_ENDPOINTS.md: no row in it declares anything'],
    [
      'has nothing but rows that cannot be read',
      `${HEADER}| x | web | |\n`,
      'ALL_VMIDS_ENDPOINTS.md: no row in it declares anything (1 lines could not be read, the first is ALL_VMIDS_ENDPOINTS.md:3: "x" is neither a VMID nor a range such as 1000-1004: this row declares no guest)',
    ],
  ])('that %s and never had a row is absent', async (_, text, reason) => {
    if (text !== undefined) await write(TABLE, text);
    expect(await look(TABLE)).toEqual({ kind: 'absent', at: 1000, reason });
  });
});

describe('a declared file that had rows is not believed when it', () => {
  it.each([
    ['is gone', undefined, 'ALL_VMIDS_ENDPOINTS.md is not there'],
    ['is emptied', '', 'ALL_VMIDS_ENDPOINTS.md: no row in it declares anything'],
    ['holds zeros after a crash', '\0'.repeat(4096), 'ALL_VMIDS_ENDPOINTS.md: no row in it declares anything'],
    [
      'has lost its header',
      table(100, 3).replace(HEADER, ''),
      'ALL_VMIDS_ENDPOINTS.md: it has lost its table header: no VMID column is left (see ALL_VMIDS_ENDPOINTS.md:1)',
    ],
    ['has no table any more', 'see the wiki', 'ALL_VMIDS_ENDPOINTS.md: no row in it declares anything'],
  ])('%s', async (_, text, reason) => {
    const known = await good(TABLE, table(100, 3));
    await rm(join(dir, TABLE));
    if (text !== undefined) await write(TABLE, text);
    expect(await look(TABLE, known)).toEqual({ kind: 'unreachable', at: 1000, reason, contentHash: null });
  });

  it('cannot be opened as a file, or is far too large', async () => {
    await mkdir(join(dir, TABLE));
    expect(await look(TABLE)).toMatchObject({ kind: 'unreachable', reason: `${TABLE}: it is not a file` });
    await write(ADDRESSES, 'A=10.0.0.1\n'.repeat(800_000));
    expect(await look(ADDRESSES)).toMatchObject({
      kind: 'unreachable',
      reason: `${ADDRESSES}: it is larger than 8 MiB, which is refused`,
    });
  });

  it('loses over a fifth of its rows, and at least five, at once, until a person confirms just that content', async () => {
    const known = await good(TABLE, table(100, 20));
    await write(TABLE, table(100, 15));
    const refused = await look(TABLE, known);
    expect(refused).toEqual({
      kind: 'unreachable',
      at: 1000,
      reason: `${TABLE} lost 5 of 20 rows at once: its last good rows stay until the file has them again or a person confirms that they are gone (declaredConfirm)`,
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const hash = refused.kind === 'unreachable' ? refused.contentHash : null;
    expect(await look(TABLE, known, hash)).toMatchObject({
      kind: 'observed',
      contentHash: hash,
      value: { rowCount: 15 },
    });
    await write(TABLE, table(100, 14));
    expect(await look(TABLE, known, hash)).toMatchObject({ kind: 'unreachable' });
  });
});

describe('a declared file is believed when it', () => {
  it.each([
    ['loses a fifth, not more', table(100, 25), table(100, 20)],
    ['loses four rows of five', table(100, 5), table(100, 1)],
    [
      'is sorted anew under other headings',
      table(100, 20),
      `# New\n\n${HEADER}${table(100, 20).replace(HEADER, '').trim().split('\n').reverse().join('\n')}`,
    ],
    ['writes a range out row by row', `${HEADER}| 100-119 | pool | |\n`, table(100, 20)],
    ['takes rows together to a range', table(100, 20), `${HEADER}| 100-119 | pool | |\n`],
  ])('%s', async (_, before, after) => {
    const known = await good(TABLE, before);
    await write(TABLE, after);
    expect(await look(TABLE, known)).toMatchObject({ kind: 'observed' });
  });

  it('renames every key', async () => {
    const known = await good(ADDRESSES, addresses(20));
    await write(ADDRESSES, addresses(20, 'SERVER'));
    expect(await look(ADDRESSES, known)).toMatchObject({ kind: 'observed', value: { rowCount: 20 } });
  });

  it('loses the header of one table of several: that one keeps its rows', async () => {
    const known = await good(TABLE, `${table(100, 3)}\n## Edge\n\n${table(200, 3)}`);
    await write(TABLE, `${table(100, 3)}\n## Edge\n\n${table(200, 3).replace('VMID', 'Foo')}`);
    const outcome = await look(TABLE, known);
    expect(outcome).toMatchObject({
      kind: 'observed',
      value: { rows: known, rowCount: 6, problems: [{ location: `${TABLE}:9` }] },
    });
  });
});

it('is not read while it is being written', async () => {
  const path = join(dir, ADDRESSES);
  await writeFile(path, 'A=10.0.0.1\n');
  const reading = declaredFile({ name: ADDRESSES, path }, { now: () => 1, settleMs: 120 }).collect(
    { rows: [], confirmedHash: null },
    new AbortController().signal,
  );
  await writeFile(path, 'A=10.0.0.1\nB=10.0.0.2\n');
  expect(await reading).toMatchObject({ kind: 'observed', value: { rowCount: 2 } });
});

it('stops looking when told to', async () => {
  await write(ADDRESSES, 'A=10.0.0.1\n');
  const stop = new AbortController();
  const looking = declaredFile(
    { name: ADDRESSES, path: join(dir, ADDRESSES) },
    { now: () => 1, settleMs: 5000 },
  ).collect({ rows: [], confirmedHash: null }, stop.signal);
  stop.abort(new Error('stopping'));
  await expect(looking).rejects.toThrow('stopping');
});

describe('watching', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });
  /** Watches, does something, and answers the paths told until `count` of them came. */
  const told = (paths: string[], count: number): Promise<string[]> =>
    new Promise((resolve) => {
      const seen: string[] = [];
      const onChange = (path: string) => {
        seen.push(path);
        if (seen.length === count) resolve(seen);
      };
      stops.push(watchPaths(paths, onChange, { intervalMs: 10, settleMs: 20 }));
    });

  it('tells of a file that comes, changes in place, is replaced by a rename, and goes', async () => {
    const path = join(dir, 'a');
    let change = told([path], 1);
    await writeFile(path, 'one');
    expect(await change).toEqual([path]);
    change = told([path], 1);
    await writeFile(path, 'two');
    expect(await change).toEqual([path]);
    change = told([path], 1);
    await writeFile(join(dir, 'b'), 'two');
    await rename(join(dir, 'b'), path);
    expect(await change).toEqual([path]);
    change = told([path], 1);
    await unlink(path);
    expect(await change).toEqual([path]);
  });

  it('tells of a link whose directory is switched, as mounted settings are', async () => {
    for (const version of ['v1', 'v2']) {
      await mkdir(join(dir, version));
      await writeFile(join(dir, version, 'policy.yaml'), version);
    }
    await symlink('v1', join(dir, 'data'));
    await symlink('data/policy.yaml', join(dir, 'policy.yaml'));
    const change = told([join(dir, 'policy.yaml')], 1);
    await symlink('v2', join(dir, 'data.new'));
    await rename(join(dir, 'data.new'), join(dir, 'data'));
    expect(await change).toEqual([join(dir, 'policy.yaml')]);
  });

  it('tells a change once, of the file that changed alone', async () => {
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    await writeFile(a, '1');
    const changes = told([a, b], 2);
    await writeFile(a, '2 ');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writeFile(b, '1');
    expect(await changes).toEqual([a, b]);
  });
});
