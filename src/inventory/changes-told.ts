import type { KeptDeclaration } from '../domain/declaration.js';
import type { AddressSetting, GuestConfig, GuestInterfaces, GuestPower, NetworkDevice } from '../domain/guest.js';
import type { VersionKind } from '../domain/version.js';
import type { VersionChange } from '../store/store.js';

export const CHANGE_KINDS = [
  'CREATED',
  'REMOVED',
  'MOVED',
  'RENAMED',
  'POWER_CHANGED',
  'STATUS_CHANGED',
  'CONFIG_CHANGED',
  'ADDRESSES_CHANGED',
  'EDITED',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** One difference between two words about one thing. */
export interface Told {
  readonly kind: ChangeKind;
  readonly field: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * What a step of the versions says in the words of the trade; nothing where it only moved what moves by itself (locks,
 * start times, lines of a file).
 */
export function toldBy({ version, before, step }: VersionChange): readonly Told[] {
  const { kind, key, body } = version;
  if (isPart(kind)) return step === 1 ? partEnded(kind, body) : (PARTS[kind]?.(before, body) ?? []);
  if (step === 1) return [{ kind: 'REMOVED', field: null, from: nameOf(body) ?? key, to: null }];
  if (before === null) return [{ kind: 'CREATED', field: null, from: null, to: nameOf(body) ?? key }];
  return fieldsOf(before as Body, body as Body, kind);
}

function isPart(kind: VersionKind): boolean {
  return kind === 'guest.config' || kind === 'guest.addresses' || kind === 'guest.power';
}

/** A part that ends goes with its guest, or because nothing can be asked; a pause that ends is news. */
function partEnded(kind: VersionKind, body: unknown): readonly Told[] {
  if (kind !== 'guest.power') return [];
  return [{ kind: 'POWER_CHANGED', field: 'power', from: (body as GuestPower).qmpStatus, to: null }];
}

const PARTS: Readonly<Partial<Record<VersionKind, (before: unknown, body: unknown) => readonly Told[]>>> = {
  'guest.config': (before, body) => configTold(before as GuestConfig | null, body as GuestConfig),
  'guest.addresses': (before, body) => addressesTold(before as GuestInterfaces | null, body as GuestInterfaces),
  'guest.power': (before, body) => {
    const was = (before as GuestPower | null)?.qmpStatus ?? null;
    return [{ kind: 'POWER_CHANGED', field: 'power', from: was, to: (body as GuestPower).qmpStatus }];
  },
};

/** Which field of which kind of row is which change; a field that is not here moves by itself, or is told elsewhere. */
const FIELDS: Readonly<Partial<Record<VersionKind, Readonly<Record<string, ChangeKind>>>>> = {
  guest: {
    node: 'MOVED',
    name: 'RENAMED',
    status: 'POWER_CHANGED',
    template: 'CONFIG_CHANGED',
    tags: 'CONFIG_CHANGED',
    pool: 'CONFIG_CHANGED',
  },
  node: {
    status: 'STATUS_CHANGED',
    maintenance: 'STATUS_CHANGED',
    ip: 'ADDRESSES_CHANGED',
    cores: 'CONFIG_CHANGED',
    memoryBytes: 'CONFIG_CHANGED',
  },
  cluster: { proxmoxName: 'RENAMED', version: 'EDITED', quorate: 'STATUS_CHANGED' },
};
/** Of everything else: what is no word of people's or of a service's about the thing itself. */
const NOT_TOLD: ReadonlySet<string> = new Set(['since', 'key', 'kind', 'location', 'headings', 'tiedTo', 'unreadable']);

function fieldsOf(before: Body, body: Body, kind: VersionKind): readonly Told[] {
  const known = FIELDS[kind];
  const names = known === undefined ? [...new Set([...Object.keys(before), ...Object.keys(body)])] : Object.keys(known);
  return names.flatMap((field): Told[] => {
    if (known === undefined && NOT_TOLD.has(field)) return [];
    const [from, to] = [textOf(before[field]), textOf(body[field])];
    // A guest that its node no longer tells of was neither started nor stopped.
    if (from === to || (kind === 'guest' && field === 'status' && [from, to].includes('UNKNOWN'))) return [];
    return [{ kind: known?.[field] ?? 'EDITED', field, from, to }];
  });
}

function configTold(before: GuestConfig | null, body: GuestConfig): readonly Told[] {
  if (before === null) return [];
  const told: Told[] = [];
  for (const field of ['cpus', 'memoryBytes', 'diskBytes', 'agent'] as const) {
    const [from, to] = [textOf(before[field]), textOf(body[field])];
    if (from !== to) told.push({ kind: 'CONFIG_CHANGED', field, from, to });
  }
  const was = new Map(before.devices.map((device) => [device.key, device]));
  for (const device of body.devices) {
    const known = was.get(device.key);
    was.delete(device.key);
    if (known !== undefined) told.push(...deviceTold(known, device));
    else told.push({ kind: 'CONFIG_CHANGED', field: device.key, from: null, to: deviceText(device) });
  }
  for (const gone of was.values())
    told.push({ kind: 'CONFIG_CHANGED', field: gone.key, from: deviceText(gone), to: null });
  return told;
}

function deviceTold(before: NetworkDevice, device: NetworkDevice): readonly Told[] {
  const plain = (['mac', 'bridge', 'vlan', 'linkDown'] as const).map((field) => {
    const [from, to] = [textOf(before[field]), textOf(device[field])];
    return { kind: 'CONFIG_CHANGED' as const, field: `${device.key}.${field}`, from, to };
  });
  const settings = (['ip4', 'ip6'] as const).map((field) => {
    const [from, to] = [settingText(before[field]), settingText(device[field])];
    return { kind: 'ADDRESSES_CHANGED' as const, field: `${device.key}.${field}`, from, to };
  });
  return [...plain, ...settings].filter(({ from, to }) => from !== to);
}

function deviceText({ mac, bridge, vlan }: NetworkDevice): string {
  return [mac, bridge, vlan === null ? null : `VLAN ${vlan}`].filter((part) => part !== null).join(' ');
}

function settingText(setting: AddressSetting | null): string | null {
  if (setting === null) return null;
  if (setting.mode !== 'static') return setting.mode;
  return setting.prefixLength === null ? setting.address : `${setting.address}/${setting.prefixLength}`;
}

function addressesTold(before: GuestInterfaces | null, body: GuestInterfaces): readonly Told[] {
  const [from, to] = [before === null ? null : addressText(before), addressText(body)];
  return from === to ? [] : [{ kind: 'ADDRESSES_CHANGED', field: 'addresses', from, to }];
}

/** Link-local addresses come with every interface and say nothing. */
function addressText({ interfaces }: GuestInterfaces): string | null {
  const all = interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => String(address)));
  const told = [...new Set(all.filter((address) => !/^(fe80:|169\.254\.)/.test(address)))].sort();
  return told.length === 0 ? null : told.join(', ');
}

/** What people call a thing, by whichever field its kind has for it. */
function nameOf(body: unknown): string | null {
  const { name, label, address, domainNames, text, prefix } = body as Body & Partial<KeptDeclaration>;
  return textOf(name ?? label ?? domainNames ?? address ?? prefix ?? text);
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((part) => typeof part !== 'object')) return value.join(', ');
  return JSON.stringify(value);
}
