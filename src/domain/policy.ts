import type { Cidr } from './address.js';
import type { DriftCategory, DriftFindingKind, Severity } from './finding.js';
import type { IgnoreRule } from './ignore.js';
import type { NotifyTarget } from './notify.js';
import { DAY, HOUR, MINUTE } from './time.js';

export type AddressClass = 'node' | 'gateway' | 'virtual' | 'dynamic' | 'external';

/** What policy.yaml says about drift and whom to tell; every field has a default. Durations in milliseconds. */
export interface Policy {
  readonly precedence: readonly string[];
  readonly severities: Readonly<Partial<Record<DriftFindingKind, Severity>>>;
  readonly categories: Readonly<Partial<Record<DriftFindingKind, DriftCategory>>>;
  readonly ignore: readonly IgnoreRule[];
  /** Acknowledged values that come back within this time after they were gone stay acknowledged. */
  readonly acknowledgedAgainWithin: number;
  readonly addressClasses: readonly { readonly cidr: Cidr; readonly class: AddressClass }[];
  readonly unusedDespiteUnread: boolean;
  readonly settle: { readonly status: number; readonly node: number; readonly proxyTarget: number };
  /** From how many days before its end a certificate is told, and from how many it is critical. */
  readonly certificates: { readonly warningDays: number; readonly criticalDays: number };
  /** An address is judged only when read this long after the guest's start. */
  readonly addressAfterStart: number;
  /** Whom to tell what happens. */
  readonly notify: readonly NotifyTarget[];
  /** How long what happened is kept. Audit, usage and the histories of findings are kept for ever. */
  readonly retention: { readonly events: number; readonly runs: number; readonly versions: number };
  /** How many entries the Redis stream keeps, about. */
  readonly redis: { readonly maxLength: number };
}

export const DEFAULT_POLICY: Policy = {
  precedence: ['netbox', 'ALL_VMIDS_ENDPOINTS.md', 'ip-addresses.conf'],
  severities: {},
  categories: {},
  ignore: [],
  acknowledgedAgainWithin: DAY,
  addressClasses: [],
  unusedDespiteUnread: false,
  settle: { status: 5 * MINUTE, node: HOUR, proxyTarget: 5 * MINUTE },
  certificates: { warningDays: 30, criticalDays: 7 },
  addressAfterStart: 2 * MINUTE,
  notify: [],
  retention: { events: 90 * DAY, runs: 30 * DAY, versions: 400 * DAY },
  redis: { maxLength: 100_000 },
};
