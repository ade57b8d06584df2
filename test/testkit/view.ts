import { type IpAddress, ipAddress } from '../../src/domain/address.js';
import { COLLECTOR_NAMES, type CollectorContract, type CollectorTerms } from '../../src/domain/contract.js';
import type { Declaration } from '../../src/domain/declaration.js';
import type { Finding } from '../../src/domain/finding.js';
import type { ClusterRow, GuestKind, GuestRow, NetworkDevice, NodeStatus } from '../../src/domain/guest.js';
import { learn } from '../../src/domain/learn/learn.js';
import { type Mac, macAddress } from '../../src/domain/mac.js';
import type { ObservedRecord } from '../../src/domain/record.js';
import { type InventorySettings, unnamedCluster } from '../../src/domain/settings.js';
import { FIRST_LOOK, type Instant } from '../../src/domain/time.js';
import type { PartReadRow, ServiceKind, SourceState, Version, VersionKind } from '../../src/domain/version.js';
import { emptyView, type InventoryView } from '../../src/domain/view.js';

/** The moment at which hand-built views were read. */
export const THEN: Instant = Date.parse('2026-11-21T10:00:00Z');

export interface AGuest {
  readonly vmid: number;
  readonly cluster?: string;
  readonly incarnation?: number;
  readonly name?: string | null;
  readonly kind?: GuestKind;
  readonly node?: string;
  readonly status?: GuestRow['status'];
  readonly tags?: readonly string[];
  readonly template?: boolean;
  readonly hidden?: boolean;
  readonly cores?: number | null;
  readonly memoryBytes?: number | null;
  /** Static addresses of net0: `10.0.0.5/24`. */
  readonly addresses?: readonly string[];
  readonly mac?: string;
  /** What the agent says on net0's MAC; without it the guest has no agent. */
  readonly agent?: readonly string[];
}

export interface AView {
  readonly guests?: readonly AGuest[];
  readonly nodes?: readonly { readonly name: string; readonly cluster?: string; readonly status?: NodeStatus }[];
  /** Rows by declared source. */
  readonly declared?: Readonly<Record<string, readonly ADeclaration[]>>;
  /** Changes to the state of a cluster: the last good poll was at THEN where nothing is said. */
  readonly states?: Readonly<Record<string, Partial<SourceState>>>;
  readonly findings?: readonly Finding[];
  /** Records by service: `npm:edge`, `hardware:main/pve1`. All were read at THEN. */
  readonly services?: Readonly<Record<string, readonly ObservedRecord[]>>;
}

export type ADeclaration =
  | { readonly vmid: number; readonly name?: string; readonly node?: string; readonly addresses?: readonly string[] }
  | { readonly label: string; readonly address: string };

export function ip(text: string): IpAddress {
  const address = ipAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export function mac(text: string): Mac {
  const address = macAddress(text);
  if (address === undefined) throw new Error(`${text} is no MAC`);
  return address;
}

export function aContract(): CollectorContract {
  const terms: CollectorTerms = {
    refreshSeconds: 3_600,
    staleAfterSeconds: 7_200,
    onFailure: 'keep_last',
    enabledBy: undefined,
  };
  const collectors = Object.fromEntries(COLLECTOR_NAMES.map((name) => [name, terms]));
  return { version: 1, collectors: collectors as CollectorContract['collectors'], text: '{}', hash: 'none' };
}

export function aSourceState(more: Partial<SourceState> & Pick<SourceState, 'source'>): SourceState {
  return {
    kind: 'proxmox',
    cluster: '',
    outcome: 'OBSERVED',
    reason: null,
    notes: [],
    firstSuccessAt: THEN,
    lastSuccessAt: THEN,
    lastAttemptAt: THEN,
    unreachableSince: null,
    lastFullAt: THEN,
    activityMark: null,
    requests: 4,
    failures: 0,
    backOffUntil: null,
    ...more,
  };
}

export const SETTINGS: InventorySettings = {
  contract: aContract(),
  precedence: ['netbox', 'ALL_VMIDS_ENDPOINTS.md', 'ip-addresses.conf'],
  declaredOff: [],
  cluster: (name) => ({ ...unnamedCluster(name, ''), broken: null }),
};

/** A view as a replica would have built it from versions: what is not said is ordinary. */
export function aView(what: AView): InventoryView {
  const learned = { seq: 1n, ended: [], ...learnedOf(what) };
  const view = learn(emptyView(aContract()), learned, SETTINGS);
  return { ...view, findings: findingsView(what.findings ?? []) };
}

function findingsView(findings: readonly Finding[]): InventoryView['findings'] {
  const byGuest = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const guest of finding.guests) byGuest.set(guest, [...(byGuest.get(guest) ?? []), finding]);
  }
  return { number: 1, byId: new Map(findings.map((f) => [f.id, f])), byGuest, comparedAt: THEN };
}

/** The versions, read times and states that such an estate leaves in the store. */
export function learnedOf(what: AView): {
  opened: Version[];
  reads: PartReadRow[];
  states: SourceState[];
} {
  const guests = what.guests ?? [];
  const named = [
    ...(what.nodes ?? []),
    ...guests.map((guest) => ({ name: guest.node ?? 'pve1', cluster: guest.cluster })),
  ];
  const nodes = new Map(named.reverse().map((node) => [`${node.cluster ?? 'main'}/${node.name}`, node]));
  const clusters = new Set([
    ...[...nodes.values()].map((node) => node.cluster ?? 'main'),
    ...Object.keys(what.states ?? {}),
  ]);
  const opened = [
    ...[...clusters].map((cluster) => version('cluster', cluster, cluster, 0, QUORATE)),
    ...[...nodes.values()].map((node) => nodeVersion(node)),
  ];
  const reads: PartReadRow[] = [];
  for (const guest of guests) {
    opened.push(...guestVersions(guest));
    reads.push(...guestReads(guest));
  }
  const states = [...clusters].map((cluster) =>
    aSourceState({ source: `proxmox:${cluster}`, cluster, ...what.states?.[cluster] }),
  );
  for (const [source, rows] of Object.entries(what.declared ?? {})) {
    states.push(aSourceState({ source: `declared:${source}`, kind: 'declared' }));
    opened.push(...declaredVersions(source, rows));
  }
  for (const [source, records] of Object.entries(what.services ?? {})) {
    const of = serviceVersions(source, records);
    states.push(of.state);
    opened.push(...of.opened);
    reads.push(...of.reads);
  }
  return { opened, reads, states };
}

function serviceVersions(source: string, records: readonly ObservedRecord[]) {
  const [kind = '', name = ''] = [source.slice(0, source.indexOf(':')), source.slice(source.indexOf(':') + 1)];
  const cluster = kind === 'ip_neigh' || kind === 'hardware' ? (name.split('/')[0] ?? '') : '';
  const state = aSourceState({ source, kind: kind as ServiceKind, cluster });
  const opened = records.map(({ kind: of, key, body }) => ({ ...version(of, cluster, key, 0, body), source }));
  const reads = records.flatMap(({ kind: of, key, seenAt }): PartReadRow[] => {
    if (of !== 'neighbour' && of !== 'unifi.client') return [];
    return [{ source, part: of, key, state: 'read', askedAt: seenAt, attemptedAt: THEN, failures: 0, reason: null }];
  });
  return { state, opened, reads };
}

function version(kind: VersionKind, cluster: string, key: string, incarnation: number, body: unknown): Version {
  const source = cluster === '' ? '' : `proxmox:${cluster}`;
  return { source, cluster, kind, key, incarnation, body, hash: '', validFrom: THEN, priorReadAt: null };
}

const QUORATE: ClusterRow = { proxmoxName: null, version: '8.2.4', quorate: true, quorumKnown: true };

function nodeVersion(node: { name: string; cluster?: string | undefined; status?: NodeStatus }): Version {
  return version('node', node.cluster ?? 'main', node.name, 0, {
    status: node.status ?? 'ONLINE',
    maintenance: false,
    ip: null,
    cores: 32,
    memoryBytes: 137_438_953_472,
    diskBytes: null,
    since: FIRST_LOOK,
  });
}

function guestVersions(guest: AGuest): Version[] {
  const { vmid, cluster = 'main', incarnation = 1 } = guest;
  const of = (kind: VersionKind, body: unknown) => version(kind, cluster, String(vmid), incarnation, body);
  const device = deviceOf(guest);
  const config = {
    name: guest.name ?? null,
    cpus: guest.cores ?? 2,
    memoryBytes: guest.memoryBytes ?? null,
    diskBytes: null,
    agent: guest.agent !== undefined,
    smbiosUuid: null,
    devices: [device],
    devicesSince: FIRST_LOOK,
  };
  const versions = [of('guest', rowOf(guest)), of('guest.config', config)];
  if (guest.agent !== undefined) {
    const addresses = guest.agent.map((text) => ({ address: ip(text), prefixLength: 24 }));
    versions.push(of('guest.addresses', { by: 'AGENT', interfaces: [{ name: 'eth0', mac: device.mac, addresses }] }));
  }
  return versions;
}

function rowOf(guest: AGuest): GuestRow {
  return {
    kind: guest.kind ?? 'QEMU',
    node: guest.node ?? 'pve1',
    status: guest.status ?? 'RUNNING',
    name: guest.name === undefined ? `guest-${guest.vmid}` : guest.name,
    template: guest.template ?? false,
    tags: guest.tags ?? [],
    pool: null,
    lock: null,
    lockedSince: null,
    ha: null,
    cores: guest.cores ?? 2,
    memoryBytes: guest.memoryBytes ?? 2_147_483_648,
    diskBytes: 34_359_738_368,
    startedAt: null,
    sparse: false,
    hidden: guest.hidden ?? false,
    since: { name: FIRST_LOOK, node: FIRST_LOOK, status: FIRST_LOOK, presence: FIRST_LOOK },
  };
}

function deviceOf(guest: AGuest): NetworkDevice {
  const setting = (family: 4 | 6) => {
    const text = guest.addresses?.find((a) => a.includes(':') === (family === 6));
    if (text === undefined) return null;
    const [address = '', length] = text.split('/');
    return {
      mode: 'static' as const,
      address: ip(address),
      prefixLength: length === undefined ? null : Number(length),
    };
  };
  const hex = guest.vmid.toString(16).padStart(6, '0');
  return {
    key: 'net0',
    mac: mac(guest.mac ?? `bc2411${hex}`),
    bridge: 'vmbr0',
    vlan: null,
    linkDown: false,
    ip4: setting(4),
    ip6: setting(6),
  };
}

function guestReads(guest: AGuest): PartReadRow[] {
  const source = `proxmox:${guest.cluster ?? 'main'}`;
  const common = { source, key: String(guest.vmid), askedAt: THEN, attemptedAt: THEN, failures: 0, reason: null };
  return [
    { ...common, part: 'config', state: 'read' },
    { ...common, part: 'addresses', state: guest.agent === undefined ? 'none' : 'read' },
  ];
}

function declaredVersions(source: string, rows: readonly ADeclaration[]): Version[] {
  const meta = {
    declaresGuests: rows.some((row) => 'vmid' in row),
    declaresAddresses: true,
    problems: [],
    keyConflicts: [],
    contentHash: '',
  };
  const of = (kind: VersionKind, key: string, body: unknown): Version => ({
    ...version(kind, '', key, 0, body),
    source: `declared:${source}`,
  });
  const bodies = rows.map((row, i) => ({ ...declarationOf(row, `${source}:${i + 1}`), since: FIRST_LOOK }));
  return [of('declared.meta', 'meta', meta), ...bodies.map((body) => of('declared.row', body.key, body))];
}

function declarationOf(row: ADeclaration, location: string): Declaration {
  if ('label' in row) {
    const { label } = row;
    return { kind: 'address', key: label, location, label, address: ip(row.address), prefixLength: null };
  }
  return {
    kind: 'guest',
    key: `${row.vmid}:0`,
    location,
    from: row.vmid,
    to: row.vmid,
    text: String(row.vmid),
    cluster: null,
    headings: [],
    name: row.name ?? null,
    node: row.node ?? null,
    status: null,
    addresses: (row.addresses ?? []).map(ip),
    unreadable: [],
  };
}

export function aFinding(more: Partial<Finding> & Pick<Finding, 'identity'>): Finding {
  const { kind, subject, field } = more.identity;
  return {
    id: `${kind}:${subject.id}:${field}`,
    state: 'OPEN',
    severity: 'WARNING',
    category: 'CONFIGURATION',
    declared: 'a',
    observed: 'b',
    declaredBy: [],
    evidence: [],
    message: 'they differ',
    guests: subject.kind === 'GUEST' && subject.id.includes('@') ? [subject.id] : [],
    clusters: [],
    firstSeenAt: THEN - 60_000,
    lastSeenAt: THEN - 60_000,
    onsetAfter: null,
    onsetBefore: THEN - 60_000,
    resolvedAt: null,
    occurrences: 1,
    suppressedUntil: null,
    reason: null,
    decided: null,
    ...more,
  };
}
