import type { IpAddress } from './address.js';
import type { Mac } from './mac.js';
import type { ChangeInterval, Instant } from './time.js';

/** What a host's neighbour table says of one address on one of its devices. Its state moves and is not kept: `seenAt` is when it was last REACHABLE. */
export interface Neighbour {
  /** The host's name in `sources.yaml`; a node of `cluster` where it is called the same. */
  readonly host: string;
  readonly address: IpAddress;
  readonly mac: Mac;
  /** The host's interface: a bridge (`vmbr0`), or a VLAN on it (`vmbr0.20`). */
  readonly device: string;
  readonly router: boolean;
  /** Learned by a control plane or answered for by proxy: no word of the machine itself. */
  readonly secondHand: boolean;
}

/** A client as a UniFi controller lists it, connected now or not. */
export interface UnifiClient {
  readonly mac: Mac;
  readonly name: string | null;
  readonly hostname: string | null;
  readonly address: IpAddress | null;
  readonly network: string | null;
  readonly vlan: number | null;
  readonly wired: boolean;
  /** Where it is plugged in; null where the controller does not say (integration API, wireless). */
  readonly switchMac: Mac | null;
  readonly switchPort: number | null;
  readonly accessPointMac: Mac | null;
  readonly essid: string | null;
  /** The address is a lease that the controller always gives this client. */
  readonly fixedAddress: IpAddress | null;
}

export interface UnifiPort {
  readonly index: number;
  readonly name: string | null;
  readonly up: boolean | null;
  readonly speedMbps: number | null;
  readonly isUplink: boolean;
  readonly poe: boolean | null;
  /** The VLAN of untagged frames; null where the controller does not say. */
  readonly nativeVlan: number | null;
  /** What the port's neighbour calls itself by LLDP; null: it does not. */
  readonly lldpName: string | null;
}

export type UnifiDeviceState = 'CONNECTED' | 'DISCONNECTED' | 'PENDING' | 'BUSY' | 'UNKNOWN';

export interface UnifiDevice {
  readonly mac: Mac;
  readonly name: string | null;
  readonly model: string | null;
  readonly kind: 'switch' | 'gateway' | 'access-point' | 'other';
  readonly address: IpAddress | null;
  readonly version: string | null;
  readonly state: UnifiDeviceState;
  readonly uplink: { readonly mac: Mac; readonly port: number | null } | null;
  readonly ports: readonly UnifiPort[];
}

export interface UnifiNetwork {
  readonly id: string;
  readonly name: string;
  readonly purpose: string | null;
  readonly vlan: number | null;
  /** The network's prefix as text (`192.168.1.0/24`), and its gateway's address. */
  readonly prefix: string | null;
  readonly gateway: IpAddress | null;
  /** Addresses from `from` to `to` are given out by DHCP. */
  readonly dhcp: { readonly from: IpAddress; readonly to: IpAddress } | null;
  readonly enabled: boolean;
}

/** Where a proxy sends what it takes: an address, a name, or whatever else was typed. */
export interface ProxyTarget {
  readonly scheme: string | null;
  /** As written; may be a name that only the proxy can look up. */
  readonly host: string;
  /** The same as an address, where it is one. */
  readonly address: IpAddress | null;
  readonly port: number;
}

export interface NpmProxyHost {
  readonly id: number;
  readonly domainNames: readonly string[];
  readonly target: ProxyTarget;
  /** Paths that go elsewhere. */
  readonly locations: readonly { readonly path: string; readonly target: ProxyTarget }[];
  readonly enabled: boolean;
  /** null: none, plain http. */
  readonly certificateId: number | null;
  readonly sslForced: boolean;
  /** Why nginx did not take its config; null: it did, or nobody knows. */
  readonly error: string | null;
}

export interface NpmRedirection {
  readonly id: number;
  readonly domainNames: readonly string[];
  readonly forwardDomain: string;
  readonly httpCode: number | null;
  readonly enabled: boolean;
  readonly certificateId: number | null;
}

export interface NpmStream {
  readonly id: number;
  readonly incomingPort: number;
  readonly target: ProxyTarget;
  readonly tcp: boolean;
  readonly udp: boolean;
  readonly enabled: boolean;
}

export interface NpmCertificate {
  readonly id: number;
  readonly provider: string;
  readonly name: string;
  readonly domainNames: readonly string[];
  /** null: the answer does not say, or says it in no form that can be read. */
  readonly notAfter: Instant | null;
}

export const HARDWARE_SECTIONS = ['system', 'cpus', 'memory', 'disks', 'network', 'pci'] as const;
export type HardwareSection = (typeof HARDWARE_SECTIONS)[number];

/** One part of a machine, in the words that tell it from another. Empty and placeholder texts are null. */
export interface HardwarePart {
  readonly section: HardwareSection;
  /** Where it sits: a slot, a PCI address, a device name; it tells parts of one section apart. */
  readonly place: string;
  readonly vendor: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  /** Of memory and disks. */
  readonly sizeBytes: number | null;
  /** What else tells it: `DDR4 3200 MT/s`, `ssd`, a MAC. */
  readonly detail: string | null;
}

/** The parts list of a node. A section that nobody could read is not in `sections`, and nothing is concluded from its parts. */
export interface HardwareReport {
  readonly by: 'SSH' | 'API';
  readonly sections: readonly HardwareSection[];
  /** Sorted by section and place. */
  readonly parts: readonly HardwarePart[];
}

export type SmartVerdict = 'PASSED' | 'FAILED' | 'UNKNOWN';

/** What SMART says of the disks of a node. */
export interface HardwareHealth {
  readonly by: 'SSH' | 'API';
  readonly disks: readonly {
    /** The serial; where a disk has none, its device. */
    readonly disk: string;
    readonly device: string;
    readonly model: string | null;
    readonly verdict: SmartVerdict;
    /** Remaining life in percent; null: unknown. */
    readonly lifeLeftPercent: number | null;
    /** Counters that explain a verdict: `reallocated sectors: 8`. */
    readonly counters: readonly string[];
  }[];
}

/** Package updates that wait on a node. */
export interface HardwareUpdates {
  readonly packages: readonly {
    readonly name: string;
    readonly installed: string | null;
    readonly available: string;
    readonly origin: string | null;
  }[];
}

/**
 * The records that services are kept as: one version a record, each under the name of its service.
 *
 *   kind              source            key                       seenAt
 *   neighbour         ip_neigh:<cluster>/<host>  device/address            last REACHABLE
 *   unifi.client      unifi:<name>      mac                       the controller's last_seen, never later than the read
 *   unifi.device      unifi:<name>      mac
 *   unifi.network     unifi:<name>      id
 *   npm.proxy_host    npm:<name>        id
 *   npm.redirection   npm:<name>        id
 *   npm.stream        npm:<name>        id
 *   npm.certificate   npm:<name>        id
 *   hardware          hardware:<cluster>[/<host>]  node (and `cluster` is its cluster)
 *   hardware.health   hardware:…         node
 *   hardware.updates  hardware:…         node
 *   hardware.accepted hardware:…         node: the parts list that was accepted: the first, then what a person acknowledged
 */
export interface RecordBodies {
  readonly neighbour: Neighbour;
  readonly 'unifi.client': UnifiClient;
  readonly 'unifi.device': UnifiDevice;
  readonly 'unifi.network': UnifiNetwork;
  readonly 'npm.proxy_host': NpmProxyHost;
  readonly 'npm.redirection': NpmRedirection;
  readonly 'npm.stream': NpmStream;
  readonly 'npm.certificate': NpmCertificate;
  readonly hardware: HardwareReport;
  readonly 'hardware.health': HardwareHealth;
  readonly 'hardware.updates': HardwareUpdates;
  readonly 'hardware.accepted': HardwareReport;
}
export type RecordKind = keyof RecordBodies;

export const RECORD_KINDS = [
  'neighbour',
  'unifi.client',
  'unifi.device',
  'unifi.network',
  'npm.proxy_host',
  'npm.redirection',
  'npm.stream',
  'npm.certificate',
  'hardware',
  'hardware.health',
  'hardware.updates',
  'hardware.accepted',
] as const satisfies readonly RecordKind[];

export function isRecordKind(kind: string): kind is RecordKind {
  return (RECORD_KINDS as readonly string[]).includes(kind);
}

/** Kinds whose records outlive their last sighting: an address that answered once may be silent for days. */
export const LASTING_KINDS: ReadonlySet<RecordKind> = new Set(['neighbour', 'unifi.client']);

/** One record as a source read it. */
export type ObservedRecord = {
  readonly [K in RecordKind]: {
    readonly kind: K;
    readonly key: string;
    /** Of lasting kinds: when it last answered for itself; null: it is only remembered (a STALE neighbour). */
    readonly seenAt: Instant | null;
    readonly body: RecordBodies[K];
  };
}[RecordKind];

/** One pass over a service. */
export interface ServiceObservation {
  readonly askedAt: Instant;
  readonly records: readonly ObservedRecord[];
  /** The kinds that were read completely: a record of these that is not listed is gone (lasting ones: in time). */
  readonly complete: readonly RecordKind[];
  /** Of hardware, the nodes that were read: those that could not be keep their last good report. Else null. */
  readonly nodes: readonly string[] | null;
  /** Things a person should know: a tool that is missing, a version without a call. */
  readonly notes: readonly string[];
}

/** A record as the view keeps it. */
export interface KeptRecord<B> {
  /** `source key`, unique within its kind. */
  readonly id: string;
  /** `npm:edge-proxy`. */
  readonly source: string;
  /** The service's name in `sources.yaml`: `edge-proxy`. */
  readonly service: string;
  /** '' where the service belongs to no cluster. */
  readonly cluster: string;
  readonly key: string;
  readonly body: B;
  readonly since: ChangeInterval;
  /** Of lasting kinds: when it last answered for itself. */
  readonly seenAt: Instant | null;
}

/** By kind, then by `id`. */
export type Records = { readonly [K in RecordKind]: ReadonlyMap<string, KeptRecord<RecordBodies[K]>> };

export function noRecords(): Records {
  const none: Partial<Record<RecordKind, ReadonlyMap<string, never>>> = {};
  for (const kind of RECORD_KINDS) none[kind] = new Map<string, never>();
  return none as Records;
}

/** The part of a source's name behind its kind: `edge-proxy` of `npm:edge-proxy`. */
export function serviceOf(source: string): string {
  return source.slice(source.indexOf(':') + 1);
}
