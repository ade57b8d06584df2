import { ipAddress } from '../../../domain/address.js';
import { macAddress } from '../../../domain/mac.js';
import type { Neighbour } from '../../../domain/record.js';
import { type WireObject, wireObjects } from '../../wire-values.js';
import { type Parsed, parsedJson, read } from './output.js';

/** One row of a neighbour table that names a machine. */
export interface NeighbourRow {
  readonly body: Neighbour;
  /** The kernel heard from it lately, and from itself. */
  readonly answered: boolean;
}

export interface NeighbourTable {
  readonly rows: readonly NeighbourRow[];
  /** Rows that nobody can make sense of. */
  readonly unreadable: number;
}

/** `ip -j neigh`. Addresses that nobody answered for (FAILED, INCOMPLETE) are in the table too, and are left out. */
export function neighbourTable(host: string, text: string): Parsed<NeighbourTable> {
  const json = parsedJson(text);
  if (json.kind === 'unreadable') return json;
  const listed = wireObjects(json.value);
  if (listed === undefined) return { kind: 'unreadable', words: 'its answer is JSON, but no list of neighbours' };
  const rows = new Map<string, NeighbourRow>();
  let unreadable = Array.isArray(json.value) ? json.value.length - listed.length : 0;
  for (const each of listed) {
    const row = neighbourRow(host, each);
    if (row === 'unreadable') unreadable += 1;
    else if (row !== undefined) {
      const key = `${row.body.device}/${row.body.address}`;
      if (rows.get(key)?.answered !== true) rows.set(key, row);
    }
  }
  return read({ rows: [...rows.values()], unreadable });
}

function neighbourRow(host: string, row: WireObject): NeighbourRow | 'unreadable' | undefined {
  const { dst, dev, lladdr } = row;
  const address = typeof dst === 'string' ? ipAddress(dst) : undefined;
  if (address === undefined || typeof dev !== 'string' || dev === '') return 'unreadable';
  // Tunnels and InfiniBand have link addresses of other kinds.
  const mac = typeof lladdr === 'string' ? macAddress(lladdr) : undefined;
  const states = statesOf(row.state);
  if (mac === undefined || states.some((state) => state === 'NOARP' || state === 'FAILED' || state === 'INCOMPLETE'))
    return undefined;
  // Flags are keys without a value.
  const secondHand = 'extern_learn' in row || 'proxy' in row;
  const body = { host, address, mac, device: dev, router: 'router' in row, secondHand };
  return { body, answered: states.includes('REACHABLE') && !secondHand };
}

function statesOf(state: unknown): readonly string[] {
  if (typeof state === 'string') return [state];
  return Array.isArray(state) ? state.filter((each) => typeof each === 'string') : [];
}
