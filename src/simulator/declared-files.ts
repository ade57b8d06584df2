import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeclaredEstate, type DeclaredRow, declaredEstate, keyOf } from './declared-rows.js';
import { keysText, tableText } from './declared-text.js';
import type { Estate } from './estate.js';
import type { Guest } from './guest.js';
import { freeVmid, type PlantedDrift, placeOf, plant } from './plant.js';
import { GROUPS } from './services.js';

export const ADDRESS_FILE = 'ip-addresses.conf';
export const TABLE_FILE = 'ALL_VMIDS_ENDPOINTS.md';

export interface Written {
  readonly tableText: string;
  readonly addressText: string;
  readonly planted: readonly PlantedDrift[];
  /** `cluster/vmid` of guests that planted drift depends on. */
  readonly touched: ReadonlySet<string>;
  /** What is in both files, for whoever else should say the same. */
  readonly told: DeclaredEstate;
}

/** Plants the drift, which changes the estates too, and writes down what people would have. */
export function declare(estates: readonly Estate[], marker: string): Written {
  const told = declaredEstate(estates);
  const { planted, touched } = plant(estates, told);
  for (const estate of estates) {
    summarise(estate, told, touched);
    foresee(estate, told);
  }
  return { tableText: tableText(told, marker), addressText: keysText(told, marker), planted, touched, told };
}

/** Chain nodes in a row are written as a range, with their addresses in the other file. */
function summarise(estate: Estate, told: DeclaredEstate, touched: ReadonlySet<string>): void {
  const fits = ({ vmid, name, power, nics, template }: Guest) =>
    name.startsWith('besu-') &&
    power === 'running' &&
    !template &&
    !touched.has(placeOf(estate, vmid)) &&
    nics.every(({ v6 }) => v6?.by !== 'config');
  const run = longestRun(
    estate
      .guests()
      .filter(fits)
      .map(({ vmid }) => vmid),
  );
  const [from, to] = [run[0], run.at(-1)];
  if (from === undefined || to === undefined || run.length < 3) return;
  const inRange = (row: DeclaredRow) => row.cluster === estate.name && row.from >= from && row.to <= to;
  const first = told.rows.findIndex(inRange);
  const model = told.rows[first];
  if (model === undefined) return;
  const known = new Set(told.keys.map(({ value }) => value));
  for (const { addresses, name } of told.rows.filter(inRange)) {
    const key = `${told.prefixOf(estate.name)}${keyOf(name ?? '')}_LAN`;
    for (const [at, value] of addresses.entries())
      if (!known.has(value)) told.keys.push({ cluster: estate.name, key: `${key}${at === 0 ? '' : at + 1}`, value });
  }
  const range: DeclaredRow = {
    ...model,
    from,
    to,
    name: null,
    node: null,
    word: 'running',
    addresses: [],
    leased: false,
  };
  told.rows = told.rows.flatMap((row, at) => (at === first ? range : inRange(row) ? [] : row));
}

function longestRun(vmids: readonly number[]): readonly number[] {
  let [longest, run]: [readonly number[], number[]] = [[], []];
  for (const vmid of vmids) {
    run = run.at(-1) === vmid - 1 ? [...run, vmid] : [vmid];
    if (run.length > longest.length && run.length <= 100) longest = run;
  }
  return longest;
}

/** Rows that promise nothing: a guest that is planned, and one that is no more. */
function foresee(estate: Estate, told: DeclaredEstate): void {
  const common = { cluster: estate.name, group: GROUPS.infra, addresses: [], leased: false };
  const planned = freeVmid(estate, told.rows, 195);
  told.rows.push({ ...common, from: planned, to: planned, name: `vault-${planned}`, node: null, word: 'planned' });
  const retired = freeVmid(estate, told.rows, planned + 1);
  told.rows.push({ ...common, from: retired, to: retired, name: `mail-${retired}`, node: null, word: 'retired' });
}

/**
 * Writes both files where they are not yet there. A file that is there belongs to whoever edited it, and stays; but one
 * that still bears the mark of another simulated estate speaks of guests that are not there, and is written anew.
 */
export async function writeDeclared(folder: string, written: Written, marker: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeUnlessOwn(join(folder, TABLE_FILE), written.tableText, marker);
  await writeUnlessOwn(join(folder, ADDRESS_FILE), written.addressText, marker);
}

async function writeUnlessOwn(path: string, text: string, marker: string): Promise<void> {
  const present = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (present !== undefined && (!present.includes(MARK) || present.includes(marker))) return;
  // Whole or not at all: a reader must never see half a table.
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

const MARK = 'simulated estate, ';

/** Says to which estate the files belong. The number is of the generator: another one writes other rows. */
export function markerOf(size: {
  seed: number;
  nodes: number;
  guests: number;
  clusters: number;
  version: string;
}): string {
  const { seed, nodes, guests, clusters, version } = size;
  return `${MARK}form 1: seed ${seed}, ${clusters} cluster(s), ${nodes} nodes, ${guests} guests, as of ${version}.`;
}
