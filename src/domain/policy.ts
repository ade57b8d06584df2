import type { Cidr } from './address.js';
import type { DriftFindingKind, Severity } from './finding.js';
import type { NotifyTarget } from './notify.js';
import { HOUR, MINUTE } from './time.js';

export type AddressClass = 'node' | 'gateway' | 'virtual' | 'dynamic' | 'external';

/** What policy.yaml says about drift and whom to tell; every field has a default. Durations in milliseconds. */
export interface Policy {
  readonly precedence: readonly string[];
  readonly severities: Readonly<Partial<Record<DriftFindingKind, Severity>>>;
  readonly addressClasses: readonly { readonly cidr: Cidr; readonly class: AddressClass }[];
  readonly unusedDespiteUnread: boolean;
  readonly settle: { readonly status: number; readonly node: number; readonly proxyTarget: number };
  /** From how many days before its end a certificate is told, and from how many it is critical. */
  readonly certificates: { readonly warningDays: number; readonly criticalDays: number };
  /** An address is judged only when read this long after the guest's start. */
  readonly addressAfterStart: number;
  /** Whom to tell what happens. */
  readonly notify: readonly NotifyTarget[];
  /** How many entries the Redis stream keeps, about. */
  readonly redis: { readonly maxLength: number };
}

export const DEFAULT_POLICY: Policy = {
  precedence: ['netbox', 'ALL_VMIDS_ENDPOINTS.md', 'ip-addresses.conf'],
  severities: {},
  addressClasses: [],
  unusedDespiteUnread: false,
  settle: { status: 5 * MINUTE, node: HOUR, proxyTarget: 5 * MINUTE },
  certificates: { warningDays: 30, criticalDays: 7 },
  addressAfterStart: 2 * MINUTE,
  notify: [],
  redis: { maxLength: 100_000 },
};
