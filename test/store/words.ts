import type { Finding, FindingEvent } from '../../src/domain/finding.js';
import { findingId } from '../../src/domain/finding.js';
import type { Batch, PartReadRow, SourceState, Version, VersionKey, VersionWrite } from '../../src/domain/version.js';
import type { OpenedStore } from '../../src/store/open.js';
import type { RunRecord } from '../../src/store/store.js';

/** 2026-03-01T10:00:00.123Z: with milliseconds, for they must not be lost. */
export const T0 = 1_772_359_200_123;

export function version(key: string, body: unknown, more: Partial<Version> = {}): Version {
  return {
    source: 'proxmox:main',
    cluster: 'main',
    kind: 'guest',
    key,
    incarnation: 1,
    body,
    hash: JSON.stringify(body),
    validFrom: T0,
    priorReadAt: null,
    ...more,
  };
}

export function put(key: string, body: unknown, more: Partial<Version> = {}): VersionWrite {
  return { op: 'put', version: version(key, body, more) };
}

export function end(key: string, validTo: number, more: Partial<VersionKey> = {}): VersionWrite {
  const of = { source: 'proxmox:main', cluster: 'main', kind: 'guest', incarnation: 1, ...more } as const;
  return { op: 'end', key: { ...of, key }, validTo };
}

export function read(key: string, more: Partial<PartReadRow> = {}): PartReadRow {
  return {
    source: 'proxmox:main',
    part: 'config',
    key,
    state: 'read',
    askedAt: T0,
    attemptedAt: T0,
    failures: 0,
    reason: null,
    ...more,
  };
}

export function state(more: Partial<SourceState> = {}): SourceState {
  return {
    source: 'proxmox:main',
    kind: 'proxmox',
    cluster: 'main',
    outcome: 'OBSERVED',
    reason: null,
    notes: [],
    firstSuccessAt: T0,
    lastSuccessAt: T0 + 1,
    lastAttemptAt: T0 + 2,
    unreachableSince: null,
    lastFullAt: null,
    activityMark: null,
    requests: 3,
    failures: 0,
    backOffUntil: null,
    ...more,
  };
}

/** Writes one batch and gives the sequence number that it carries. */
export function apply(store: OpenedStore, batch: Partial<Batch>): Promise<bigint> {
  return store.transaction(async (tx) => {
    await tx.batches.apply({ writes: [], reads: [], state: state(), ...batch });
    return tx.seq;
  });
}

export function run(id: string, more: Partial<RunRecord> = {}): RunRecord {
  return {
    id,
    source: 'proxmox:main',
    mode: 'FULL',
    startedAt: T0,
    finishedAt: T0 + 1_500,
    outcome: 'OBSERVED',
    reason: null,
    requests: 42,
    coverage: { rows: 10, parts: 20, failed: 1 },
    ...more,
  };
}

export function finding(vmid: string, more: Partial<Finding> = {}): Finding {
  const identity = { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: vmid }, field: 'name' } as const;
  return {
    id: findingId(more.identity ?? identity),
    identity,
    state: 'OPEN',
    severity: 'INFO',
    category: 'CONFIGURATION',
    declared: 'web-1',
    observed: 'web-2',
    declaredBy: [
      {
        field: 'name',
        value: 'web-1',
        source: 'ALL_VMIDS_ENDPOINTS.md',
        location: 'ALL_VMIDS_ENDPOINTS.md:7',
        wins: true,
      },
    ],
    evidence: [{ source: 'proxmox:main', text: 'the list says web-2', at: T0 }],
    message: 'name is web-2, declared web-1',
    guests: [vmid],
    clusters: [],
    firstSeenAt: T0,
    lastSeenAt: T0 + 5,
    onsetAfter: null,
    onsetBefore: T0 - 7,
    resolvedAt: null,
    occurrences: 1,
    suppressedUntil: null,
    reason: null,
    decided: null,
    ...more,
  };
}

export function step(of: Finding, more: Partial<FindingEvent> = {}): FindingEvent & { readonly cursor: bigint | null } {
  return {
    findingId: of.id,
    at: T0,
    type: 'OPENED',
    actor: null,
    reason: null,
    declared: of.declared,
    observed: of.observed,
    cursor: null,
    ...more,
  };
}
