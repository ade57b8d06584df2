import type { DriftCategory, DriftFindingKind, Severity } from './finding.js';
import type { Policy } from './policy.js';

const SEVERITY: Readonly<Partial<Record<DriftFindingKind, Severity>>> = {
  DUPLICATE_ADDRESS: 'CRITICAL',
  DISK_FAILING: 'CRITICAL',
  NAME_DIFFERS: 'INFO',
  NODE_DIFFERS: 'INFO',
  RESOURCES_DIFFER: 'INFO',
  ADDRESS_NOT_DECLARED: 'INFO',
  DECLARED_ADDRESS_UNUSED: 'INFO',
  HARDWARE_CHANGED: 'INFO',
};

const CATEGORY: Readonly<Partial<Record<DriftFindingKind, DriftCategory>>> = {
  GUEST_MISSING: 'STATE',
  STATUS_DIFFERS: 'STATE',
  NODE_DIFFERS: 'STATE',
  ADDRESS_DIFFERS: 'NETWORK',
  ADDRESS_NOT_DECLARED: 'NETWORK',
  DECLARED_ADDRESS_UNUSED: 'NETWORK',
  DUPLICATE_ADDRESS: 'NETWORK',
  DUPLICATE_MAC: 'NETWORK',
  VLAN_DIFFERS: 'NETWORK',
  ADDRESS_ANSWERED_BY_OTHER: 'SECURITY',
  PROXY_TARGET_UNKNOWN: 'NETWORK',
  PROXY_TARGET_STOPPED: 'STATE',
  CERTIFICATE_EXPIRING: 'SECURITY',
  DISK_FAILING: 'STATE',
};

const RANK: Readonly<Record<Severity, number>> = { INFO: 0, WARNING: 1, CRITICAL: 2 };

export function severityOf(kind: DriftFindingKind, policy: Pick<Policy, 'severities'>): Severity {
  return policy.severities[kind] ?? SEVERITY[kind] ?? 'WARNING';
}

export function categoryOf(kind: DriftFindingKind, policy: Pick<Policy, 'categories'>): DriftCategory {
  return policy.categories[kind] ?? CATEGORY[kind] ?? 'CONFIGURATION';
}

export function isGraver(a: Severity, b: Severity): boolean {
  return RANK[a] > RANK[b];
}
