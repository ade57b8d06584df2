import { type Answer, badParameters } from './answers.js';
import type { Call } from './routes.js';

/** Of a switch: 0 or 1. Of a list: one of it. Of a number: a whole one, at least that. */
export type Parameters = Readonly<Record<string, readonly string[] | number | 'any'>>;

export const SWITCH = ['0', '1'];

/** What pveproxy refuses a call for whose query does not fit its schema; undefined where it does. */
export function wrongParameters({ sight, query, path }: Call, parameters: Parameters): Answer | undefined {
  const errors: Record<string, string> = {};
  for (const [name, value] of query) {
    const wrong = Object.hasOwn(parameters, name) ? wrongValue(value, parameters[name] ?? 'any') : UNKNOWN;
    // `_dc` is the web interface's own way around caches.
    if (wrong !== undefined && name !== '_dc') errors[name] = wrong;
  }
  const vmid = /\/(?:qemu|lxc)\/([^/]+)\//.exec(path)?.[1];
  if (vmid !== undefined && !/^\d{3,9}$/.test(vmid)) errors.vmid = `type check ('integer') failed - got '${vmid}'`;
  return Object.keys(errors).length === 0 ? undefined : badParameters(sight.estate.version, errors);
}

const UNKNOWN = 'property is not defined in schema and the schema does not allow additional properties';

function wrongValue(value: string, known: Parameters[string]): string | undefined {
  if (known === 'any') return undefined;
  if (typeof known === 'number') {
    if (!/^\d+$/.test(value)) return `type check ('integer') failed - got '${value}'`;
    return Number(value) < known ? `value must have a minimum value of ${known}` : undefined;
  }
  if (known.includes(value)) return undefined;
  return known === SWITCH
    ? `type check ('boolean') failed - got '${value}'`
    : `value '${value}' does not have a value in the enumeration '${known.join(', ')}'`;
}
