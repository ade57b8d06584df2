import type { PartResult } from '../../domain/observation.js';
import type { Reply } from './client.js';
import type { Interfaces } from './parse/interfaces.js';

export const NO_AGENT = 'no guest agent is configured';

export function addressesResult(reply: Reply, parse: (content: unknown) => Interfaces): PartResult {
  const part = 'addresses';
  if (reply.kind === 'refused') {
    if (reply.status === 501)
      return { kind: 'none', part, reason: `this Proxmox version has no such call (${reply.words})` };
    if (/No QEMU guest agent configured/i.test(reply.words)) return { kind: 'none', part, reason: NO_AGENT };
    if (/(?:VM|CT) \d+ (?:is )?not running/i.test(reply.words)) return { kind: 'none', part, reason: 'stopped' };
  }
  if (reply.kind !== 'content') return failed(part, reply);
  const parsed = parse(reply.content);
  switch (parsed.kind) {
    case 'read':
      return { kind: 'read', part, value: parsed.value };
    case 'stopped':
      return { kind: 'none', part, reason: 'stopped' };
    case 'failed':
      return { kind: 'failed', part, reason: parsed.reason };
  }
}

export function failed(part: 'config' | 'addresses' | 'power' | 'vmid', reply: Reply): PartResult {
  if (reply.kind === 'content')
    return { kind: 'failed', part, reason: 'the answer has not the shape that Proxmox documents' };
  return { kind: 'failed', part, reason: `${reply.words}${reply.kind === 'refused' ? advice(reply) : ''}` };
}

/** What to do about Proxmox' own words, which only say what is wrong. */
function advice({ status, words }: { readonly status: number; readonly words: string }): string {
  if (status === 403) return '; give the token that privilege';
  return /guest agent is not running/i.test(words) ? '; start it in the guest, or take agent out of its config' : '';
}

/** Its config file is gone from the node, or the node's proxy could not make sense of the other one's answer. */
export function looksMoved(reply: Reply): boolean {
  if (reply.kind !== 'refused') return false;
  return reply.status === 596 || (reply.status === 500 && /does not exist/i.test(reply.words));
}
