import { isRecordKind } from '../record.js';
import type { PartReadRow } from '../version.js';
import type { PartState } from '../view.js';
import { type Draft, touched } from './draft.js';
import type { Learned } from './learned.js';
import { learnSeen } from './service-records.js';

export function learnRead(draft: Draft, read: PartReadRow, learned: Learned): void {
  if (read.part === 'vm') {
    if (read.askedAt !== null) draft.declared.get(read.source)?.asked.set(read.key, read.askedAt);
    return;
  }
  if (isRecordKind(read.part)) {
    learnSeen(draft, read.part, read);
    return;
  }
  const cluster = clusterOf(draft, read.source, learned);
  if (cluster === undefined) return;
  const key = `${cluster}/${read.key}`;
  const { state, askedAt, attemptedAt, failures, reason } = read;
  const part: PartState = { state, askedAt, attemptedAt, failures, reason };
  if (read.part === 'power') {
    const node = draft.nodes.get(key);
    if (node !== undefined) draft.nodes.set(key, { ...node, power: part });
    return;
  }
  if (read.part === 'vmid') {
    draft.absenceReads.set(key, part);
    const proof = draft.absences.get(key);
    if (proof !== undefined && askedAt !== null) draft.absences.set(key, { ...proof, askedAt });
    return;
  }
  const guest = touched(draft, key);
  if (guest === undefined) return;
  const { config, addresses } = guest.parts;
  guest.parts = read.part === 'config' ? { config: part, addresses } : { config, addresses: part };
}

function clusterOf(draft: Draft, source: string, learned: Learned): string | undefined {
  const name = source.startsWith('proxmox:') ? source.slice('proxmox:'.length) : undefined;
  if (name === undefined) return undefined;
  return draft.clusters.has(name) || learned.states.some((s) => s.source === source) ? name : undefined;
}
