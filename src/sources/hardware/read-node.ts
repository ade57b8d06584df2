import type { HardwareSection, ObservedRecord, RecordKind } from '../../domain/record.js';
import { MINUTE, SECOND } from '../../domain/time.js';
import type { ProxmoxClient } from '../proxmox/client.js';
import { diskHealth, diskParts } from './disks.js';
import { listedDisks, pciDevices, processors } from './parse/node.js';
import { packageUpdates } from './parse/updates.js';
import { partList } from './part-list.js';

export interface NodeNeeds {
  readonly client: ProxmoxClient;
  readonly signal: AbortSignal;
  readonly onAttempt: () => void;
}

/** What came of one node. `silent`: nothing of it was read. */
export interface ReadNode {
  readonly node: string;
  readonly records: readonly ObservedRecord[];
  /** Kinds that this node should have given and did not. */
  readonly missing: readonly RecordKind[];
  /** A call that came to nothing, without the node's name: the same on many nodes is one note. */
  readonly failures: readonly { readonly what: string; readonly words: string }[];
  readonly silent: boolean;
}

/** With SMART each disk is asked, and one may have to wake up. */
const DISKS_MS = 2 * MINUTE;
const OTHERS_MS = 60 * SECOND;

/** One answer, understood; or why not. `gone`: the node does not answer at all, and need not be asked more. */
type Understood<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'failed'; readonly words: string; readonly gone: boolean };

/** Asks one node, one thing after the other: it also has guests to run. */
export async function readNode(node: string, needs: NodeNeeds): Promise<ReadNode> {
  const failures: { what: string; words: string }[] = [];
  let gone = false;
  const ask = async <T>(what: string, path: string, parse: (content: unknown) => T | undefined, headersMs: number) => {
    if (gone) return undefined;
    const asked = await understand(needs, `/nodes/${encodeURIComponent(node)}${path}`, parse, headersMs);
    if (asked.kind === 'read') return asked.value;
    gone ||= asked.gone;
    failures.push({ what, words: asked.words });
    return undefined;
  };
  const cpus = await ask('processors', '/status', processors, OTHERS_MS);
  const pci = await ask('PCI devices', '/hardware/pci', pciDevices, OTHERS_MS);
  const disks = await ask('disks', '/disks/list', listedDisks, DISKS_MS);
  const updates = await ask('pending updates', '/apt/update', packageUpdates, OTHERS_MS);

  const sections: HardwareSection[] = [];
  if (cpus !== undefined) sections.push('cpus');
  if (disks !== undefined) sections.push('disks');
  if (pci !== undefined) sections.push('pci');
  const parts = [...(cpus ?? []), ...(disks === undefined ? [] : diskParts(disks)), ...(pci ?? [])];
  const records: ObservedRecord[] = [];
  const at = { key: node, seenAt: null };
  if (sections.length > 0) records.push({ ...at, kind: 'hardware', body: partList('API', sections, parts) });
  if (disks !== undefined) records.push({ ...at, kind: 'hardware.health', body: diskHealth('API', disks) });
  if (updates !== undefined) records.push({ ...at, kind: 'hardware.updates', body: updates });
  const kinds: readonly RecordKind[] = ['hardware', 'hardware.health', 'hardware.updates'];
  const missing = kinds.filter((kind) => !records.some((record) => record.kind === kind));
  return { node, records, missing, failures, silent: records.length === 0 };
}

async function understand<T>(
  { client, signal, onAttempt }: NodeNeeds,
  path: string,
  parse: (content: unknown) => T | undefined,
  headersMs: number,
): Promise<Understood<T>> {
  const reply = await client.get(path, { signal, onAttempt, headersMs });
  if (reply.kind === 'silent') return { kind: 'failed', words: reply.words, gone: true };
  if (reply.kind === 'refused') return { kind: 'failed', words: reply.words, gone: reply.status >= 595 };
  if (reply.kind === 'foreign') return { kind: 'failed', words: reply.words, gone: false };
  const value = parse(reply.content);
  if (value !== undefined) return { kind: 'read', value };
  return { kind: 'failed', words: 'the answer is not what was asked for', gone: false };
}
