import { type Random, shuffled } from '../random.js';

/** Writes a value as Proxmox does: keys in no order at all, and none for what is undefined. */
export function wireText(value: unknown, random: Random): string {
  if (Array.isArray(value)) return `[${value.map((item) => wireText(item, random)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return `{${shuffled(random, pairsOf(value, random)).join(',')}}`;
}

/** `"key":value` for each key that has a value. */
export function pairsOf(value: object, random: Random): string[] {
  const pairs: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) pairs.push(`${JSON.stringify(key)}:${wireText(item, random)}`);
  }
  return pairs;
}
