import { type Principal, permissionsOf } from '../../src/domain/access.js';

/** A caller with built-in roles, who may see all tenants. */
export function caller(roles: readonly string[] = ['sankofa-it-admin'], more: Partial<Principal> = {}): Principal {
  return {
    id: 'key:test',
    name: 'test',
    person: 'test',
    roles,
    permissions: permissionsOf(roles),
    tenants: 'all',
    expiresAt: null,
    ...more,
  };
}
