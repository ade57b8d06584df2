import { wireText } from '../../wire-values.js';
import type { Answer } from './answer.js';

/** What `/cluster/nextid?vmid=N` proves: N is free, or some guest has it, visible or not. undefined: it proves nothing. */
export function vmidFree(vmid: number, answer: Answer): boolean | undefined {
  if (answer.kind === 'content') return wireText(answer.content) === String(vmid) ? true : undefined;
  const taken = answer.kind === 'refused' && answer.status === 400;
  return taken && /already exists/i.test(answer.vmidError ?? answer.words) ? false : undefined;
}
