import type { Outcome } from '../../domain/observation.js';
import type { ObservedRecord, ServiceObservation } from '../../domain/record.js';
import type { Ask, HostShell } from './client.js';
import { HOST_COMMANDS } from './commands.js';
import { neighbourTable } from './parse/neighbours.js';

interface Needs {
  readonly shell: HostShell;
  readonly host: string;
  readonly ask: Ask;
  requests(): number;
}

/** Reads a host's neighbour table, in one command that anybody may run. */
export async function readNeighbours({ shell, host, ask, requests }: Needs): Promise<Outcome<ServiceObservation>> {
  const reply = await shell.run(HOST_COMMANDS.neighbours, ask);
  const { askedAt } = reply;
  const unreachable = (words: string) =>
    ({ kind: 'unreachable', at: askedAt, reason: `${shell.peer}: ${words}`, requests: requests() }) as const;
  if (reply.kind === 'silent') return unreachable(reply.words);
  if (reply.kind !== 'ran') return unreachable(`\`ip -j neigh\` gave no neighbours: ${reply.words}`);
  const table = neighbourTable(host, reply.ran.stdout);
  if (table.kind === 'unreadable') return unreachable(`\`ip -j neigh\` gave no neighbours: ${table.words}`);

  const records = table.value.rows.map(({ body, answered }): ObservedRecord => {
    const key = `${body.device}/${body.address}`;
    return { kind: 'neighbour', key, seenAt: answered ? askedAt : null, body };
  });
  const { unreadable } = table.value;
  const notes = unreadable === 0 ? [] : [`${unreadable} rows of the neighbour table could not be read`];
  const value = { askedAt, records, complete: ['neighbour' as const], nodes: null, notes };
  return { kind: 'observed', at: askedAt, value, requests: requests() };
}
