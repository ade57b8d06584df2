import type { NetboxRow } from '../../netbox-model.js';
import type { Wire } from './briefs.js';

/** Django writes microseconds. */
export function times({ created, updated }: NetboxRow): Wire {
  return { created: micros(created), last_updated: micros(updated) };
}

function micros(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
