import type { Principal } from '../domain/access.js';

/** Everything of a caller by which answers may differ, but for who it is: callers alike in it are answered the same. */
export function permissionScope(principal: Principal): string {
  const {
    permissions,
    tenants,
    id: _,
    name: _name,
    person: _person,
    roles: _roles,
    expiresAt: _end,
    ...rest
  } = principal;
  return JSON.stringify([[...permissions].sort(), tenants === 'all' ? tenants : [...tenants].sort(), rest]);
}
