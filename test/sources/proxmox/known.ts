import type { GuestRow } from '../../../src/domain/guest.js';
import type { KnownCluster, KnownGuest, ObservedNode, ObservedRow, PartAge } from '../../../src/domain/observation.js';
import { FIRST_LOOK } from '../../../src/domain/time.js';

export const T0 = 1_700_000_000_000;

export function age(attemptedAt: number | null, failures = 0): PartAge {
  return { askedAt: failures === 0 ? attemptedAt : null, attemptedAt, failures };
}

/** A row of the list as the wire tests' Proxmox gives it for `vmid`. */
export function row(vmid: number, more: Partial<ObservedRow> = {}): ObservedRow {
  return {
    ...{ vmid, kind: 'QEMU', node: 'pve1', status: 'RUNNING', name: `g${vmid}`, template: false },
    ...{ tags: [], pool: null, lock: null, ha: null },
    ...{ cores: 2, memoryBytes: 2048, diskBytes: 4096, uptimeSeconds: 1000 },
    ...more,
  };
}

export function knownRow(of: ObservedRow, more: Partial<GuestRow> = {}): GuestRow {
  const { vmid: _, uptimeSeconds, ...kept } = of;
  return {
    ...kept,
    ...{ name: of.name ?? null, template: of.template ?? false, lockedSince: null, sparse: false, hidden: false },
    ...{ cores: of.cores ?? null, memoryBytes: of.memoryBytes ?? null, diskBytes: of.diskBytes ?? null },
    startedAt: of.status === 'RUNNING' && uptimeSeconds !== undefined ? T0 - uptimeSeconds * 1000 : null,
    since: { name: FIRST_LOOK, node: FIRST_LOOK, status: FIRST_LOOK, presence: FIRST_LOOK },
    ...more,
  };
}

/** A guest of which everything was read at T0. */
export function knownGuest(of: ObservedRow, more: Partial<KnownGuest> = {}): KnownGuest {
  const parts = { config: age(T0), addresses: age(T0) };
  return { vmid: of.vmid, row: knownRow(of), agent: true, parts, ...more };
}

export function known(guests: readonly KnownGuest[] = [], more: Partial<KnownCluster> = {}): KnownCluster {
  return {
    guests: new Map(guests.map((guest) => [guest.vmid, guest])),
    power: new Map(),
    vmids: new Map(),
    activityMark: null,
    ...more,
  };
}

export function node(name: string, status: ObservedNode['status'] = 'ONLINE'): ObservedNode {
  return { name, status, maintenance: false, ip: null, cores: null, memoryBytes: null, diskBytes: null };
}
