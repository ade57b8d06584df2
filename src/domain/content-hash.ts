import { hash } from 'node:crypto';

/** JSON with sorted keys and without undefined: equal values give equal text, whatever order a database returned their keys in. */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? canonicalList(value) : canonicalRecord(value);
    default:
      return JSON.stringify(value) ?? 'null';
  }
}

/** Text in which JSON has nothing to escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

function canonicalList(list: readonly unknown[]): string {
  let text = '[';
  for (const item of list) text += text.length === 1 ? canonicalJson(item) : `,${canonicalJson(item)}`;
  return `${text}]`;
}

function canonicalRecord(value: object): string {
  const record = value as Readonly<Record<string, unknown>>;
  let text = '{';
  for (const { key, label } of shapeOf(Object.keys(record))) {
    const item = record[key];
    if (item !== undefined) text += (text.length === 1 ? label : `,${label}`) + canonicalJson(item);
  }
  return `${text}}`;
}

/** The keys of a record in canonical order, each with its text. */
type Shape = readonly { readonly key: string; readonly label: string }[];
interface KnownShape {
  readonly keys: readonly string[];
  readonly shape: Shape;
}

/** An estate's bodies come in a handful of shapes: sorting the same keys again for each of them was most of the work. */
const shapes = new Map<string, KnownShape[]>();
const MOST_SHAPES = 200;
let shapesKnown = 0;

function shapeOf(keys: readonly string[]): Shape {
  const place = `${keys.length}${keys[0]}`;
  const alike = shapes.get(place) ?? [];
  for (const known of alike) if (sameKeys(known.keys, keys)) return known.shape;
  const shape = [...keys].sort().map((key) => ({ key, label: `${JSON.stringify(key)}:` }));
  if (shapesKnown < MOST_SHAPES) {
    shapesKnown++;
    shapes.set(place, [...alike, { keys, shape }]);
  }
  return shape;
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

/** 32 hex digits of the SHA-256 of the canonical JSON. */
export function contentHash(value: unknown): string {
  return textHash(canonicalJson(value));
}

/** The same of a value whose canonical JSON is at hand. */
export function textHash(canonical: string): string {
  return hash('sha256', canonical).slice(0, 32);
}

/** Whether two plain values say the same, whatever the order of their keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) if (!(key in right) || !sameValue(left[key], right[key])) return false;
  return true;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false;
  return true;
}
