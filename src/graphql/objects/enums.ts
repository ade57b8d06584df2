import { registerEnumType } from 'type-graphql';
import type { ChangeDecision, ChangeRequestEventType } from '../../domain/change-request.js';
import type { CollectorName } from '../../domain/contract.js';
import type {
  DriftCategory,
  DriftEventType,
  DriftFindingKind,
  DriftFindingState,
  Severity,
  SubjectKind,
} from '../../domain/finding.js';
import type { GuestKind, GuestStatus, NodeStatus } from '../../domain/guest.js';
import type { InventoryEventType } from '../../domain/inventory-event.js';
import type { AddressClass } from '../../domain/policy.js';
import type { Confidence } from '../../domain/port-map.js';
import type { HardwareSection, SmartVerdict } from '../../domain/record.js';
import type { ChangeSubjectKind } from '../../inventory/changes.js';
import type { ChangeKind } from '../../inventory/changes-told.js';
import type { TimeBucket } from '../../inventory/timeline.js';

/** Registers an enum whose names are its values. Every value of `T` must be described, or it does not compile. */
function enumOf<T extends string>(name: string, description: string, values: Readonly<Record<T, string>>): object {
  const names = Object.keys(values) as T[];
  const object = Object.fromEntries(names.map((value) => [value, value]));
  const valuesConfig = Object.fromEntries(names.map((value) => [value, { description: values[value] }]));
  registerEnumType(object, { name, description, valuesConfig });
  return object;
}

/** One whose names outside are in capitals: `proxmox_guest_ipam` is PROXMOX_GUEST_IPAM. */
function capitalEnumOf<T extends string>(
  name: string,
  description: string,
  values: Readonly<Record<T, string>>,
): object {
  const entries = Object.entries<string>(values);
  const object = Object.fromEntries(entries.map(([value]) => [value.toUpperCase(), value]));
  const valuesConfig = Object.fromEntries(entries.map(([value, text]) => [value.toUpperCase(), { description: text }]));
  registerEnumType(object, { name, description, valuesConfig });
  return object;
}

export const GuestKindEnum = enumOf<GuestKind>('GuestKind', 'What kind of guest it is', {
  QEMU: 'A virtual machine',
  LXC: 'A container',
});

export const GuestStatusEnum = enumOf<GuestStatus>('GuestStatus', 'Whether a guest runs', {
  RUNNING: 'It runs',
  STOPPED: 'It is off',
  PAUSED: 'It is running but suspended or paused',
  UNKNOWN: 'Its node is not online, or the cluster does not say',
});

export const NodeStatusEnum = enumOf<NodeStatus>(
  'ProxmoxNodeStatus',
  'Whether a node is a working member of its cluster',
  {
    ONLINE: 'It answers its cluster',
    OFFLINE: 'Its cluster does not reach it',
    UNKNOWN: 'The cluster does not say, or no longer lists it',
  },
);

export const AddressEvidenceSourceEnum = enumOf<'CONFIG' | 'AGENT' | 'INTERFACES' | 'NEIGHBOUR' | 'UNIFI'>(
  'AddressEvidenceSource',
  'Who says that a guest carries an address',
  {
    CONFIG: 'The guest’s config',
    AGENT: 'The agent inside the guest',
    INTERFACES: 'The interfaces of a container, as its node sees them',
    NEIGHBOUR: 'A neighbour table of a host',
    UNIFI: 'The client list of a UniFi controller',
  },
);

export const AddressClassEnum = capitalEnumOf<AddressClass>('AddressClass', 'What a special address is used for', {
  node: 'A node’s own address',
  gateway: 'A gateway',
  virtual: 'A virtual address that several may carry in turn',
  dynamic: 'Handed out by a server, not by people',
  external: 'Outside the estate',
});

export const AddressSightingEnum = enumOf<'NEIGHBOUR' | 'UNIFI'>(
  'AddressSightingSource',
  'Who saw somebody answer for an address',
  { NEIGHBOUR: 'The neighbour table of a host', UNIFI: 'A UniFi controller' },
);

export const ConfidenceEnum = capitalEnumOf<Confidence>('Confidence', 'How sure a link of the port map is', {
  observed: 'It was seen to be so',
  declared: 'It is only written or called so',
  missing: 'Nothing is known of it',
});

export const HardwareSectionEnum = capitalEnumOf<HardwareSection>('HardwareSection', 'What kind of part it is', {
  system: 'Chassis, board and firmware',
  cpus: 'A processor',
  memory: 'A memory module',
  disks: 'A disk',
  network: 'A network card',
  pci: 'A card on the PCI bus',
});

export const SmartVerdictEnum = enumOf<SmartVerdict>('SmartVerdict', 'What SMART says of a disk', {
  PASSED: 'It is healthy',
  FAILED: 'It is failing: replace it',
  UNKNOWN: 'It does not say',
});

export const DriftFindingKindEnum = enumOf<DriftFindingKind>(
  'DriftFindingKind',
  'What differs between estate and declaration',
  {
    GUEST_NOT_DECLARED: 'A guest that nobody wrote down',
    GUEST_MISSING: 'A declared guest that is proven absent',
    NAME_DIFFERS: 'Declared and observed name differ',
    NODE_DIFFERS: 'The guest is on another node than declared',
    STATUS_DIFFERS: 'The guest runs though declared stopped, or the other way round',
    ADDRESS_DIFFERS: 'The guest carries none of the addresses declared for it',
    ADDRESS_NOT_DECLARED: 'A guest carries an address that nobody wrote down',
    DECLARED_ADDRESS_UNUSED: 'A declared address that nobody carries',
    DUPLICATE_ADDRESS: 'Two running guests carry one address',
    DUPLICATE_MAC: 'Two guests have one MAC in one cluster',
    VLAN_DIFFERS: 'A device is on another VLAN than NetBox says',
    RESOURCES_DIFFER: 'CPUs, memory or disk differ from what NetBox says',
    DECLARATIONS_CONFLICT: 'Two declarations of one thing contradict',
    ADDRESS_ANSWERED_BY_OTHER: 'Another machine answers for the address of a guest',
    PROXY_TARGET_UNKNOWN: 'A proxy host points to an address that nobody has',
    PROXY_TARGET_STOPPED: 'A proxy host points to a stopped guest',
    CERTIFICATE_EXPIRING: 'A certificate ends soon, or has ended',
    HARDWARE_CHANGED: 'The parts of a node differ from those last accepted',
    DISK_FAILING: 'SMART says that a disk is failing',
  },
);

export const DriftFindingStateEnum = enumOf<DriftFindingState>('DriftFindingState', 'Where a finding is in its life', {
  OPEN: 'So, and nobody has said anything about it',
  ACKNOWLEDGED: 'So, and a person knows',
  SUPPRESSED: 'Silenced by a person until a moment',
  RESOLVED: 'No longer so',
  IGNORED: 'Covered by an ignore rule of the policy',
});

export const SeverityEnum = enumOf<Severity>('Severity', 'How much it matters', {
  INFO: 'Good to know',
  WARNING: 'Somebody should look',
  CRITICAL: 'Somebody should look now',
});

export const DriftCategoryEnum = enumOf<DriftCategory>('DriftCategory', 'What a finding is about', {
  CONFIGURATION: 'How things are set up',
  PACKAGE: 'Installed software',
  NETWORK: 'Addresses, MACs, VLANs and ports',
  STATE: 'What runs where',
  SECURITY: 'What could be an attack or an exposure',
  FIRMWARE: 'Firmware versions',
});

export const DriftEventTypeEnum = enumOf<DriftEventType>('DriftEventType', 'What happened to a finding', {
  OPENED: 'It came up for the first time, or its ignore rule ended',
  UPDATED: 'Its values or severity changed while open',
  ACKNOWLEDGED: 'A person took note of it',
  SUPPRESSED: 'A person silenced it until a moment',
  RESOLVED: 'It is no longer so',
  REOPENED: 'It is so again, or a person or a changed value brought it back',
  IGNORED: 'A rule of the policy ignores it: this stands in its history, and is told to nobody',
});

export const SubjectKindEnum = enumOf<SubjectKind>('SubjectKind', 'What kind of thing is spoken of', {
  GUEST: 'A guest or VMID: `cluster/vmid@n` or `cluster/vmid`',
  ADDRESS: 'An IP address: `scope/address`, the bare address in scope `default`',
  MAC: 'A MAC address: `cluster/mac`',
  PROXMOX_NODE: 'A node: `cluster/node`',
  PROXY_HOST: 'A proxy host of Nginx Proxy Manager: `its name/id`',
  CERTIFICATE: 'A certificate of Nginx Proxy Manager: `its name/id`',
  SWITCH_PORT: 'A port of a UniFi switch: `controller name/device mac/port`',
  API: 'An API of the catalogue: its id there',
});

export const CollectorNameEnum = capitalEnumOf<CollectorName>('CollectorName', 'A collector of the contract', {
  proxmox_guest_ipam: 'Guests, nodes and addresses of the Proxmox clusters',
  ip_neigh: 'Neighbour tables of the hosts',
  hardware: 'Hardware of the hosts',
  npm: 'Nginx Proxy Manager',
  unifi: 'UniFi controllers',
  netbox: 'NetBox',
});

export const CollectorOutcomeEnum = enumOf<'OBSERVED' | 'UNREACHABLE' | 'NEVER' | 'NOT_CONFIGURED' | 'DISABLED'>(
  'CollectorOutcome',
  'What became of the last attempt to collect',
  {
    OBSERVED: 'It was read',
    UNREACHABLE: 'It could not be read; the last known stays',
    NEVER: 'It was not tried yet',
    NOT_CONFIGURED: 'It has no source',
    DISABLED: 'It is switched off',
  },
);

export const DeclaredSourceStateEnum = enumOf<'NEVER' | 'COVERED' | 'UNREACHABLE'>(
  'DeclaredSourceState',
  'Whether a declared source can be relied on',
  {
    NEVER: 'It was never there: it declares nothing',
    COVERED: 'It was read and is watched',
    UNREACHABLE: 'It had rows and cannot be read now; its last good rows stay',
  },
);

export const RunStateEnum = enumOf<'RUNNING' | 'FINISHED'>('CollectionRunState', 'Whether a run has ended', {
  RUNNING: 'It still collects',
  FINISHED: 'It has ended; `outcome` says how',
});

export const CollectorEventTypeEnum = enumOf<'STARTED' | 'PROGRESS' | 'FINISHED'>(
  'CollectorEventType',
  'What happened to a run',
  { STARTED: 'It began', PROGRESS: 'It has read more parts', FINISHED: 'It has ended' },
);

export const InventoryEventTypeEnum = enumOf<InventoryEventType>('InventoryEventType', 'What happened to a guest', {
  CREATED: 'It is new, or another guest took its VMID',
  REMOVED: 'It is proven gone',
  MOVED: 'It is on another node',
  POWER_CHANGED: 'It was started, stopped or paused',
  CONFIG_CHANGED: 'Its config was edited',
});

export const ChangeRequestEventTypeEnum = enumOf<ChangeRequestEventType>(
  'ChangeRequestEventType',
  'What happened to a change request',
  {
    REQUESTED: 'Somebody asks for a change that needs the word of another person',
    DECIDED: 'Somebody approved, rejected or cancelled it',
    APPLIED: 'The change is made',
    EXPIRED: 'Nobody decided in time',
  },
);

export const ChangeDecisionEnum = enumOf<ChangeDecision>('ChangeDecision', 'What was decided about a change request', {
  APPROVED: 'Another person wants it too',
  REJECTED: 'Another person does not want it',
  CANCELLED: 'It was taken back',
});

export const GuestOrderFieldEnum = enumOf<'VMID' | 'NAME' | 'NODE' | 'STATUS' | 'MEMORY'>(
  'GuestOrderField',
  'What guests are sorted by; ties by cluster and VMID, unknown values last',
  { VMID: 'VMID', NAME: 'Name, whatever its case', NODE: 'Node', STATUS: 'Status', MEMORY: 'Memory in bytes' },
);

export const OrderDirectionEnum = enumOf<'ASC' | 'DESC'>('OrderDirection', 'Which way a list is sorted', {
  ASC: 'Lowest first',
  DESC: 'Highest first',
});

export const TimeBucketEnum = enumOf<TimeBucket>('TimeBucket', 'How time is divided, in UTC', {
  HOUR: 'Whole hours',
  DAY: 'Whole days',
  WEEK: 'Whole weeks, from Monday on',
});

export const ChangeKindEnum = enumOf<ChangeKind>('InventoryChangeKind', 'What kind of change it is', {
  CREATED: 'It came to be',
  REMOVED: 'It is gone, or is no longer collected',
  MOVED: 'It is on another node',
  RENAMED: 'It has another name',
  POWER_CHANGED: 'It was started, stopped or paused',
  STATUS_CHANGED: 'It works in another way: online, in maintenance, quorate',
  CONFIG_CHANGED: 'Its config was edited',
  ADDRESSES_CHANGED: 'It has other addresses, or they are given otherwise',
  EDITED: 'A field of a declaration or of a record has another value',
});

export const ChangeSubjectKindEnum = enumOf<ChangeSubjectKind>('ChangeSubjectKind', 'What kind of thing changed', {
  GUEST: 'A guest',
  PROXMOX_NODE: 'A node',
  CLUSTER: 'A cluster',
  DECLARATION: 'A row of a declared file or service',
  PROXY_HOST: 'A proxy host of Nginx Proxy Manager',
  REDIRECTION: 'A redirection of Nginx Proxy Manager',
  STREAM: 'A stream of Nginx Proxy Manager',
  CERTIFICATE: 'A certificate of Nginx Proxy Manager',
  NETWORK_DEVICE: 'A switch, gateway or access point of a UniFi controller',
  NETWORK: 'A network of a UniFi controller',
  CLIENT: 'A client of a UniFi controller',
  NEIGHBOUR: 'An entry of a neighbour table',
  HARDWARE: 'The parts or the health of a node',
});
