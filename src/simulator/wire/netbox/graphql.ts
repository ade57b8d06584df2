import type { Answer } from '../answers.js';
import { json, type ServiceRequest } from '../service.js';
import type { Shelf } from './shelf.js';

/**
 * So much of NetBox's GraphQL as shows that it is there: `virtual_machine_list` with `pagination: {offset, limit}` and
 * plain fields. Whatever else is asked is an error in the answer, with status 200, as GraphQL has it.
 */
export function graphql(shelf: Shelf, { method, body }: ServiceRequest): Answer {
  if (method !== 'POST') return json(405, { detail: `Method "${method}" not allowed.` }, { allow: 'POST' });
  const query = queryIn(body);
  if (query === undefined) return json(400, { detail: 'No GraphQL query found in the request' });
  const list = /^\s*(?:query\s*\w*\s*)?\{\s*virtual_machine_list\s*(?:\(([^)]*)\))?\s*\{([\w\s,]*)\}\s*\}\s*$/.exec(
    query,
  );
  if (list === null)
    return json(200, { data: null, errors: [{ message: 'the simulated NetBox does not play this query' }] });
  const [, given = '', fields = ''] = list;
  const number = (name: string) => Number(new RegExp(`\\b${name}:\\s*(\\d+)`).exec(given)?.[1] ?? Number.NaN);
  const [offset, limit] = [number('offset') || 0, number('limit')];
  const all = [...shelf.model.vms.all()].sort((a, b) => a.id - b.id);
  const page = all.slice(offset, Number.isNaN(limit) ? undefined : offset + limit);
  const names = fields.split(/[\s,]+/).filter(Boolean);
  const rows = page.map(({ id, name, status, memoryMb, vmid, vcpus }) => ({
    // Ids are text here, and numbers with a fraction too.
    ...{ id: String(id), name, status, memory: memoryMb, custom_fields: { vmid } },
    vcpus: vcpus === null ? null : vcpus.toFixed(2),
  }));
  const unknown = names.find((name) => !KNOWN.includes(name));
  if (unknown !== undefined)
    return json(200, {
      data: null,
      errors: [{ message: `Cannot query field '${unknown}' on type 'VirtualMachineType'.` }],
    });
  const chosen = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => names.includes(key))));
  return json(200, { data: { virtual_machine_list: chosen } });
}

const KNOWN: readonly string[] = ['id', 'name', 'status', 'memory', 'vcpus', 'custom_fields'];

function queryIn(body: string): string | undefined {
  try {
    const { query } = JSON.parse(body) as { query?: unknown };
    return typeof query === 'string' ? query : undefined;
  } catch {
    return undefined;
  }
}
