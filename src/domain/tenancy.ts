import { DEFAULT_TENANT } from './access.js';

/** What of an object decides whose it is. */
export interface Belonging {
  readonly cluster: string;
  readonly vmid?: number;
}

/** The tenant an object belongs to; null: to none, so that only all-tenant roles see it. One tenant has everything so far. */
export function tenantOf(_object: Belonging): string | null {
  return DEFAULT_TENANT;
}
