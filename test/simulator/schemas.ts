import type { PveVersion } from '../../src/simulator/guest.js';
import { recording } from '../sources/recordings.js';

interface Schema {
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly unknown[];
  readonly optional?: number;
}

/** What Proxmox documents that a GET of this path returns. */
export function schemaOf(version: PveVersion, path: string): Schema | undefined {
  const all = recording(`pve-apidata/pve-${version}-schema.json`) as Record<
    string,
    { readonly GET?: { readonly returns?: Schema }; readonly returns?: Schema }
  >;
  return all[path]?.GET?.returns ?? all[path]?.returns;
}

/**
 * Where a value does not fit: keys that are there, against their documented type; required keys that are not.
 * On the wire booleans are 0 or 1, and an open object may have more keys than are documented.
 */
export function misfits(value: unknown, schema: Schema, at = ''): string[] {
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: ${String(value)} is none of the enum`];
  switch (schema.type) {
    case 'array':
      if (!Array.isArray(value)) return [`${at}: no list`];
      return value.flatMap((item, i) => (schema.items === undefined ? [] : misfits(item, schema.items, `${at}[${i}]`)));
    case 'object':
      return objectMisfits(value, schema, at);
    case 'boolean':
      return value === 0 || value === 1 ? [] : [`${at}: ${String(value)} is no 0 or 1`];
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at}: ${JSON.stringify(value)} is no integer`];
    case 'number':
      return typeof value === 'number' ? [] : [`${at}: ${JSON.stringify(value)} is no number`];
    case 'string':
      return typeof value === 'string' ? [] : [`${at}: ${JSON.stringify(value)} is no text`];
    default:
      return [];
  }
}

function objectMisfits(value: unknown, { properties = {} }: Schema, at: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: no object`];
  const there = value as Record<string, unknown>;
  const wrong = Object.entries(there).flatMap(([key, item]) => {
    const schema = properties[key] ?? properties[key.replace(/\d+$/, '[n]')];
    return schema === undefined ? [] : misfits(item, schema, `${at}.${key}`);
  });
  const missing = Object.entries(properties).flatMap(([key, schema]) =>
    schema.optional === 1 || key.endsWith('[n]') || key in there ? [] : [`${at}.${key}: missing`],
  );
  return [...wrong, ...missing];
}
