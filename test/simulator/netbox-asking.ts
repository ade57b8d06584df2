import { Agent, request } from 'node:https';
import { onTestFinished } from 'vitest';
import { selfSigned } from '../../src/simulator/certificate.js';
import { declare } from '../../src/simulator/declared-files.js';
import type { DeclaredEstate } from '../../src/simulator/declared-rows.js';
import type { Estate } from '../../src/simulator/estate.js';
import { declareNetbox, type NetboxNeeds } from '../../src/simulator/netbox-declared.js';
import type { PlantedDrift } from '../../src/simulator/plant.js';
import { populate, type Size } from '../../src/simulator/populate.js';
import { NetboxFaults } from '../../src/simulator/wire/netbox/faults.js';
import {
  type NetboxOptions,
  type SimulatedNetbox,
  startSimulatedNetbox,
} from '../../src/simulator/wire/netbox/netbox.js';
import { NOW } from './asking.js';

export const CERTIFICATE = selfSigned();

export interface Declared {
  readonly estates: readonly Estate[];
  readonly told: DeclaredEstate;
  readonly tables: readonly PlantedDrift[];
  readonly netbox: ReturnType<typeof declareNetbox>;
}

/** An estate of 60 guests, what is written of it, and the NetBox that says the same. */
export function declared(size: Partial<Size> = {}, more: Partial<NetboxNeeds> = {}): Declared {
  const now = () => NOW;
  const estates = populate({ seed: 20_260, nodes: 5, guests: 60, clusters: 1, version: '9.1', now, ...size });
  const { planted, touched, told } = declare(estates, 'no file');
  return { estates, told, tables: planted, netbox: declareNetbox({ estates, told, touched, now, ...more }) };
}

/** A NetBox that ends with the test. */
export async function netbox(options: Partial<NetboxOptions> = {}): Promise<SimulatedNetbox> {
  const model = options.model ?? declared().netbox.model;
  const started = await startSimulatedNetbox({
    ...{ model, faults: new NetboxFaults(), certificate: CERTIFICATE, seed: 1 },
    ...options,
  });
  onTestFinished(() => started.stop());
  return started;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly body: unknown;
}

export interface Asking {
  readonly token?: string | null;
  readonly method?: string;
  readonly body?: string;
}

/** Asks as its first token, unless another header (or none: null) is wanted. */
export function askNetbox(server: SimulatedNetbox, path: string, asking: Asking = {}): Promise<Told> {
  const { token = `Token ${server.token}`, method = 'GET', body } = asking;
  const headers = token === null ? {} : { authorization: token };
  const agent = new Agent({ ca: CERTIFICATE.cert });
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { agent, headers, method }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type Row = Readonly<Record<string, unknown>>;

export interface Page {
  readonly count: number | null;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Row[];
}

export async function pageOf(server: SimulatedNetbox, path: string): Promise<Page> {
  const { status, body, text } = await askNetbox(server, `/api/${path}`);
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return body as Page;
}

/** Follows `next` to the end. */
export async function everything(server: SimulatedNetbox, path: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let next: string | null = path;
  while (next !== null) {
    const page: Page = await pageOf(server, next);
    rows.push(...page.results);
    next = page.next === null ? null : page.next.replace(`${server.url}/api/`, '');
  }
  return rows;
}

/** What a nested object, or a choice, says under a key. */
export function within(row: Row | undefined, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((at, key) => (at as Row | null | undefined)?.[key], row);
}
