import { BUILT_IN_ROLES, DEFAULT_TENANT, type Principal, permissionsOf } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { Instant } from '../domain/time.js';

/** What a caller asks of a new key. Absent and null mean the default. */
export interface NewKey {
  readonly name: string;
  readonly roles: readonly string[];
  /** Who will use it; by default the caller herself. */
  readonly person?: string | null;
  /** By default the caller's own. */
  readonly tenants?: readonly string[] | null;
  readonly expiresAt?: Instant | null;
}

export interface CheckedKey {
  readonly name: string;
  readonly roles: readonly string[];
  readonly person: string;
  readonly tenants: readonly string[] | null;
  readonly expiresAt: Instant | null;
}

const LONGEST_NAME = 100;
const LONGEST_PERSON = 200;
const TENANTS = [DEFAULT_TENANT];

/** Holds the wish for a key against what the caller may give away. `now` is the database's. */
export function checkedKey(principal: Principal, input: NewKey, now: Instant): CheckedKey {
  const { person, expiresAt } = input;
  return {
    name: lineOf(input.name, 'name', LONGEST_NAME),
    roles: rolesWithin(principal, input.roles),
    person: person === undefined || person === null ? principal.person : lineOf(person, 'person', LONGEST_PERSON),
    tenants: tenantsWithin(principal, input.tenants ?? null),
    expiresAt: futureOf(expiresAt ?? null, now),
  };
}

function lineOf(text: string, field: string, longest: number): string {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > longest || /\p{Cc}/u.test(trimmed)) {
    throw wrong(field, `${field} must be one line of 1 to ${longest} characters`);
  }
  return trimmed;
}

function rolesWithin(principal: Principal, roles: readonly string[]): readonly string[] {
  if (roles.length === 0) throw wrong('roles', 'roles must name at least one role');
  const unknown = roles.filter((role) => !Object.hasOwn(BUILT_IN_ROLES, role));
  if (unknown.length > 0) {
    const known = Object.keys(BUILT_IN_ROLES).join(', ');
    throw wrong('roles', `there is no role ${quoted(unknown)}; the roles are ${known}`);
  }
  const beyond = [...permissionsOf(roles)].filter((permission) => !principal.permissions.has(permission));
  if (beyond.length > 0) {
    throw new DomainError('FORBIDDEN', `nobody gives away what she may not do herself: ${beyond.join(', ')}`, {
      field: ['roles'],
    });
  }
  return [...new Set(roles)];
}

function tenantsWithin(principal: Principal, wished: readonly string[] | null): readonly string[] | null {
  if (wished === null) return principal.tenants === 'all' ? null : principal.tenants;
  if (wished.length === 0) throw wrong('tenants', 'tenants must name at least one tenant, or be left out');
  const unknown = wished.filter((tenant) => !TENANTS.includes(tenant));
  if (unknown.length > 0) throw wrong('tenants', `there is no tenant ${quoted(unknown)}; there is ${quoted(TENANTS)}`);
  const own = principal.tenants;
  if (own !== 'all' && wished.some((tenant) => !own.includes(tenant))) {
    throw new DomainError('FORBIDDEN', 'nobody opens a tenant that she may not see herself', { field: ['tenants'] });
  }
  return [...new Set(wished)];
}

function futureOf(at: Instant | null, now: Instant): Instant | null {
  if (at !== null && !(at > now)) throw wrong('expiresAt', 'expiresAt must lie in the future');
  return at;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word.slice(0, 60))).join(', ');
}

function wrong(field: string, message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', message, { field: [field] });
}
