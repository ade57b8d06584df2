import { DomainError } from './errors.js';

/** `noun:verb`. The closed list of what may be asked of the gateway. */
export const PERMISSIONS = [
  'inventory:read',
  'inventory:export',
  'drift:read',
  'drift:decide',
  'collection:run',
  'metadata:read',
  'metadata:change',
  'metadata:approve',
  'metadata:rollback',
  'portmap:read',
  'portmap:change',
  'audit:read',
  'audit:export',
  'entitlement:read',
  'entitlement:consume',
  'entitlement:change',
  'usage:read',
  'account:manage',
  'settings:read',
  'notification:manage',
  'catalog:bootstrap',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

const READS = PERMISSIONS.filter((p) => p.endsWith(':read') && p !== 'audit:read' && p !== 'settings:read');

/** Built-in roles. A role that is not here (or in policy.yaml) grants nothing. */
export const BUILT_IN_ROLES: Readonly<Record<string, readonly Permission[]>> = {
  viewer: READS,
  operator: [...READS, 'drift:decide', 'collection:run', 'settings:read'],
  'tenant-admin': [
    ...READS,
    'metadata:change',
    'metadata:approve',
    'metadata:rollback',
    'portmap:change',
    'audit:read',
  ],
  'sankofa-it-admin': PERMISSIONS,
};

/** Who is calling, as every verb is told. */
export interface Principal {
  /** `key:<prefix>`, or the token's subject. */
  readonly id: string;
  readonly name: string;
  /** Who stands behind the call: two keys of one person are one person. */
  readonly person: string;
  readonly roles: readonly string[];
  readonly permissions: ReadonlySet<Permission>;
  /** Tenants it may see: a list, or all. */
  readonly tenants: 'all' | readonly string[];
  /** When its credentials run out, null: never. */
  readonly expiresAt: number | null;
}

export function permissionsOf(roles: readonly string[]): ReadonlySet<Permission> {
  return new Set(roles.flatMap((role) => (Object.hasOwn(BUILT_IN_ROLES, role) ? (BUILT_IN_ROLES[role] ?? []) : [])));
}

export function may(principal: Principal, permission: Permission): boolean {
  return principal.permissions.has(permission);
}

/** Until policy.yaml can name tenants there is one, and everything belongs to it. */
export const DEFAULT_TENANT = 'default';

/** Whether the caller may see what belongs to `tenant`. Every verb filters by this one predicate. */
export function seesTenant(principal: Principal, tenant: string | null): boolean {
  return principal.tenants === 'all' || (tenant !== null && principal.tenants.includes(tenant));
}

/** Refuses a caller without the permission; the name of the permission is no secret. */
export function demand(principal: Principal, permission: Permission): void {
  if (!may(principal, permission)) {
    throw new DomainError(
      'FORBIDDEN',
      `this needs the permission ${permission}, which ${principal.name} does not have`,
    );
  }
}
