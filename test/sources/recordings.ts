import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'vitest';

// Answers of real systems and of other projects' tests; they are no part of this project and may be missing.
const root = resolve(import.meta.dirname, '../..', process.env.RECORDINGS_DIR ?? '../shared/reference/recordings');
const present = existsSync(root);

/** A group of tests over the recordings: skipped by name without them, failing where all parts are required. */
export function describeRecordings(name: string, tests: () => void): void {
  if (present) describe(name, tests);
  else if (process.env.REQUIRE_ALL_PARTS === '1') {
    it(`${name}: needs the recordings`, () => {
      throw new Error(`the recordings are missing; set RECORDINGS_DIR (looked in ${root})`);
    });
  } else describe.skip(`${name} (the recordings are missing; set RECORDINGS_DIR)`, tests);
}

export function recording(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

export function recordedFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder)).map((file) => `${folder}/${file}`);
}

/** The content of an answer of the API: what stands under `data`. */
export function recordedData(file: string): unknown {
  return (recording(file) as { data: unknown }).data;
}

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly params?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The `GET`s of one of go-proxmox' files whose path contains `path`, each with its body. */
export function exchanges(file: string, path: string | RegExp): readonly Exchange[] {
  const fits = (each: Exchange) => (typeof path === 'string' ? each.path.includes(path) : path.test(each.path));
  return (recording(file) as Exchange[]).filter((each) => each.method === 'GET' && fits(each));
}

export function bodyData(exchange: Exchange | undefined): unknown {
  return (exchange?.body as { data?: unknown } | undefined)?.data;
}

/** The main section of a `<vmid>.conf` as the object that the API makes of it. */
export function mainSection(conf: string): Record<string, string> {
  const end = conf.search(/^\[/m);
  const lines = (end < 0 ? conf : conf.slice(0, end)).split('\n');
  const pairs = lines.map((line) => /^([a-z][a-z_]*\d*):\s*(.*)$/.exec(line)).filter((found) => found !== null);
  return Object.fromEntries(pairs.map((found) => [found[1] ?? '', found[2] ?? '']));
}

export function recordedText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
