import type { GuestConfig } from '../../domain/guest.js';
import type { KnownCluster, ObservedRow, PartRead, PartResult, Progress } from '../../domain/observation.js';
import { inLanes } from '../lanes.js';
import { qmpStatuses } from '../proxmox/parse/power.js';
import { NO_AGENT } from '../proxmox/part-result.js';
import type { Ask, ProxmoxShell } from './client.js';
import { type ConfFile, confFiles } from './parse/conf-files.js';
import { confConfig } from './parse/guest-conf.js';
import type { Reads } from './plan.js';
import type { Poll } from './poll.js';

export interface ReadNeeds {
  readonly shell: ProxmoxShell;
  readonly ask: Ask;
  readonly polled: Poll;
  readonly known: KnownCluster;
  readonly progress: Progress;
}

// Each is a pvesh of its own on the host, which has guests to run.
const POWER_WIDTH = 4;

/** Reads the chosen parts. Whatever goes wrong with one is that part's result; only cancelling throws. */
export async function readParts(reads: Reads, needs: ReadNeeds): Promise<readonly PartRead[]> {
  const { ask, progress, known } = needs;
  const parts: PartRead[] = reads.vmids.map((vmid) => absence(vmid, needs.polled));
  const total = reads.power.length + reads.configs.length;
  let done = 0;
  const advanced = (by: number) => {
    done += by;
    if (by > 0) progress(done, total);
  };

  const configs = await readConfigs(reads.configs, needs);
  parts.push(...configs);
  advanced(configs.length);
  parts.push(...addressParts(reads, configs, known, ask.now()));
  await inLanes(POWER_WIDTH, reads.power, async (node) => {
    ask.signal.throwIfAborted();
    parts.push(await readPower(node, needs));
    advanced(1);
  });
  return parts;
}

/** `/etc/pve` holds the config of every guest of the cluster, whichever node it is on: what it does not have is not there. */
function absence(vmid: number, { vmids }: Poll): PartRead {
  const { list, words, askedAt } = vmids;
  const result: PartResult =
    list === undefined
      ? { kind: 'failed', part: 'vmid', reason: `/etc/pve/.vmlist could not be read: ${words}` }
      : { kind: 'read', part: 'vmid', value: { free: !list.ids.has(vmid) } };
  return { key: String(vmid), askedAt, result };
}

async function readConfigs(rows: readonly ObservedRow[], { shell, ask }: ReadNeeds): Promise<readonly PartRead[]> {
  if (rows.length === 0) return [];
  const reply = await shell.configs(ask);
  const { askedAt } = reply;
  const files = reply.kind === 'text' ? confFiles(reply.text) : undefined;
  return rows.map((row) => {
    const value = configIn(files?.get(row.vmid), row);
    const reason = reply.kind === 'text' ? 'its config file is not in /etc/pve; it may just have moved' : reply.words;
    const result: PartResult =
      value === undefined ? { kind: 'failed', part: 'config', reason } : { kind: 'read', part: 'config', value };
    return { key: String(row.vmid), askedAt, result };
  });
}

/** A file of the other kind belongs to another guest under the same VMID, which the list will show next. */
function configIn(file: ConfFile | undefined, row: ObservedRow): GuestConfig | undefined {
  return file === undefined || file.kind !== row.kind ? undefined : confConfig(file.kind, file.text);
}

/**
 * What can be said of addresses without asking a guest: that there is nothing to ask, as over the API. Of the others
 * nothing is said. But where a guest was read, or had nothing to read, before it came to be one of those, that word is
 * over: it counts as an attempt that failed, once.
 */
function addressParts(
  { addresses, configs }: Reads,
  read: readonly PartRead[],
  known: KnownCluster,
  askedAt: number,
): readonly PartRead[] {
  const agents = new Map<string, boolean>();
  for (const { key, result } of read)
    if (result.kind === 'read' && result.part === 'config') agents.set(key, result.value.agent);
  const rows = new Map([...addresses, ...configs].map((row) => [row.vmid, row]));
  return [...rows.values()].flatMap((row): readonly PartRead[] => {
    if (row.status === 'UNKNOWN') return [];
    const key = String(row.vmid);
    const before = known.guests.get(row.vmid);
    const agent = agents.get(key) ?? before?.agent;
    const reason = row.status === 'STOPPED' ? 'stopped' : row.kind === 'QEMU' && agent === false ? NO_AGENT : undefined;
    if (reason !== undefined) return [{ key, askedAt, result: { kind: 'none', part: 'addresses', reason } }];
    const age = before?.parts.addresses;
    if (age === undefined || age.askedAt === null || age.failures > 0) return [];
    return [{ key, askedAt, result: { kind: 'failed', part: 'addresses', reason: OVER_SSH } }];
  });
}

const OVER_SSH = 'over SSH the addresses inside a running guest are not read';

async function readPower(node: string, { shell, ask }: ReadNeeds): Promise<PartRead> {
  const reply = await shell.pvesh(`/nodes/${node}/qemu`, ['--full', '1'], ask);
  const value = reply.kind === 'content' ? qmpStatuses(reply.content ?? []) : undefined;
  const reason = reply.kind === 'content' ? 'the answer has not the shape that Proxmox documents' : reply.words;
  const result: PartResult =
    value === undefined ? { kind: 'failed', part: 'power', reason } : { kind: 'read', part: 'power', value };
  return { key: node, askedAt: reply.askedAt, result };
}
