import type { Difference, FindingId, FindingIdentity } from '../finding.js';
import type { Policy } from '../policy.js';
import { isGraver } from '../severity.js';
import type { Instant } from '../time.js';
import type { InventoryView } from '../view.js';
import { addressDiffers } from './address-differs.js';
import { addressNotDeclared } from './address-not-declared.js';
import { declaredAddressUnused } from './address-unused.js';
import { addressAnsweredByOther } from './answered-by-other.js';
import { certificateExpiring } from './certificates.js';
import { declarationsConflict } from './conflicts.js';
import { duplicateAddress, duplicateMac, sharedMacSeverity } from './duplicates.js';
import { nameDiffers, nodeDiffers } from './facts.js';
import { guestMissing } from './guest-missing.js';
import { diskFailing, hardwareChanged } from './hardware.js';
import { guestNotDeclared } from './presence.js';
import { proxyTargetStopped, proxyTargetUnknown } from './proxy-targets.js';
import { resourcesDiffer } from './resources-differ.js';
import { restlessOf } from './restless.js';
import { statusDiffers } from './status-differs.js';
import { vlanDiffers } from './vlan-differs.js';
import { AGREES, type Ask, type Rule, type Verdict, type World, worldOf } from './world.js';

/** Every kind that can be told, one rule each. */
const RULES: readonly Rule[] = [
  guestNotDeclared,
  guestMissing,
  nameDiffers,
  nodeDiffers,
  statusDiffers,
  addressDiffers,
  addressNotDeclared,
  declaredAddressUnused,
  duplicateAddress,
  duplicateMac,
  vlanDiffers,
  resourcesDiffer,
  declarationsConflict,
  addressAnsweredByOther,
  proxyTargetUnknown,
  proxyTargetStopped,
  certificateExpiring,
  hardwareChanged,
  diskFailing,
];
const BY_KIND = new Map(RULES.map((rule) => [rule.kind, rule]));

export type Judgement = 'so' | 'not so' | 'not covered';

export interface Comparison {
  readonly world: World;
  /** Everything that is so, swallowed or not, by id. */
  readonly so: ReadonlyMap<FindingId, Difference>;
  /** What may be said of an identity now; `reason` where something other than agreement ended it. */
  judged(identity: FindingIdentity): { readonly judgement: Judgement; readonly reason: string | null };
  /** Reads that would settle a doubt, each once. */
  readonly asks: readonly Ask[];
  /** When to compare again though nothing changed; null: no need. */
  readonly due: Instant | null;
}

/**
 * Holds what was observed against what was declared. Pure: the view carries both with their coverage, and time is an argument.
 * What is not covered on one side, not settled, or not read since the other side changed, is neither so nor not so.
 */
export function compare(view: InventoryView, policy: Policy, now: Instant): Comparison {
  const world = worldOf(view, policy, now);
  const found = new Map<FindingId, Difference>();
  const asks = new Map<string, Ask>();
  let due: Instant | null = null;
  const note = (verdict: Verdict) => {
    if (verdict.kind === 'so') found.set(verdict.difference.id, verdict.difference);
    if (verdict.kind === 'doubt')
      for (const ask of verdict.asks) asks.set(`${ask.source}\n${ask.part}\n${ask.key}`, ask);
    const again = verdict.due ?? null;
    if (again !== null) due = due === null ? again : Math.min(due, again);
  };
  const restless = restlessOf(world, RULES);
  for (const rule of RULES) {
    for (const { subject, field } of rule.candidates(world, restless)) note(rule.judge(world, subject, field));
  }
  // Findings that live and are no candidates any more: what it takes to resolve them is asked for too.
  for (const { id, identity } of view.findings.byId.values()) {
    if (!found.has(id) && retirement(world, identity) === undefined) {
      const verdict = BY_KIND.get(identity.kind)?.judge(world, identity.subject, identity.field);
      if (verdict !== undefined) note(verdict);
    }
  }
  return {
    world,
    so: swallowed(world, found),
    judged: (identity) => judge(world, found, identity),
    asks: [...asks.values()],
    due,
  };
}

function judge(world: World, found: ReadonlyMap<FindingId, Difference>, identity: FindingIdentity) {
  const id = `${identity.kind}:${identity.subject.id}:${identity.field}`;
  if (found.has(id)) return { judgement: 'so' as const, reason: null };
  const retired = retirement(world, identity);
  if (retired !== undefined) return { judgement: 'not so' as const, reason: retired };
  const verdict = BY_KIND.get(identity.kind)?.judge(world, identity.subject, identity.field) ?? AGREES;
  switch (verdict.kind) {
    case 'so':
      return { judgement: 'so' as const, reason: null };
    case 'agrees':
      return { judgement: 'not so' as const, reason: verdict.reason ?? null };
    case 'doubt':
      return { judgement: 'not covered' as const, reason: null };
  }
}

/** Why nothing of a subject is left to judge: the settings no longer name its cluster or service. */
function retirement(world: World, { subject }: FindingIdentity): string | undefined {
  const place = subject.id.slice(0, subject.id.indexOf('/'));
  switch (subject.kind) {
    case 'ADDRESS':
      return undefined;
    case 'PROXY_HOST':
    case 'CERTIFICATE':
      return world.view.services.has(`npm:${place}`) ? undefined : 'the proxy is no longer collected';
    case 'SWITCH_PORT':
      return world.view.services.has(`unifi:${place}`) ? undefined : 'the controller is no longer collected';
    case 'GUEST':
    case 'MAC':
    case 'PROXMOX_NODE':
      return place === '*' || world.view.clusters.has(place) ? undefined : 'the cluster was retired';
  }
}

/** Marks each difference that another one already tells. A shared MAC that tells of a shared address takes the graver severity. */
function swallowed(world: World, found: Map<FindingId, Difference>): ReadonlyMap<FindingId, Difference> {
  const marked = new Map<FindingId, Difference>();
  for (const [id, difference] of found) {
    const by = swallowerOf(difference, (other) => found.has(other));
    marked.set(id, by === undefined ? difference : { ...difference, swallowedBy: by });
  }
  for (const difference of marked.values()) {
    if (difference.identity.kind !== 'DUPLICATE_ADDRESS' || difference.swallowedBy === undefined) continue;
    const by = marked.get(difference.swallowedBy);
    if (by !== undefined && isGraver(difference.severity, by.severity))
      marked.set(by.id, { ...by, severity: difference.severity });
  }
  for (const difference of marked.values()) {
    if (difference.identity.kind !== 'DUPLICATE_MAC') continue;
    const severity = sharedMacSeverity(world, difference);
    if (severity !== difference.severity) marked.set(difference.id, { ...difference, severity });
  }
  return marked;
}

/** One of the identities that tell a difference already, where every group has one that `tells`. */
export function swallowerOf(difference: Difference, tells: (id: FindingId) => boolean): FindingId | undefined {
  let first: FindingId | undefined;
  for (const group of difference.swallowers) {
    const by = group.find(tells);
    if (by === undefined) return undefined;
    first ??= by;
  }
  return first;
}
