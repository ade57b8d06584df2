import { type Absorbing, endGuest, readRow, type Writes } from './absorbing.js';
import { sameValue } from './content-hash.js';
import {
  type GuestConfig,
  type GuestIdentity,
  type GuestInterfaces,
  type GuestKey,
  type GuestRow,
  guestId,
  guestKey,
} from './guest.js';
import type { InventoryEvent } from './inventory-event.js';
import type { Mac } from './mac.js';
import type { ObservedRow, PartRead } from './observation.js';
import { type ChangeInterval, FIRST_LOOK, type Instant, SECOND } from './time.js';
import type { PartReadRow } from './version.js';
import { type GuestView, type InventoryView, NEVER_READ, type PartState } from './view.js';

/** uptime is told with a delay of up to a status interval; a start is seen only where it moves by more than this. */
const UPTIME_SLACK = 60 * SECOND;

function configOf(read: PartRead | undefined): GuestConfig | undefined {
  return read?.result.kind === 'read' && read.result.part === 'config' ? read.result.value : undefined;
}

function macsOf(config: GuestConfig): readonly Mac[] {
  return config.devices.flatMap((device) => (device.mac === null ? [] : [device.mac])).sort();
}

/**
 * Whether another guest lives under the VMID now: another type, another QEMU smbios1 uuid, or other MACs on all of a
 * container's devices. A restore keeps uuid and MACs; absence, another node or another creation time prove nothing.
 */
export function isAnotherGuest(
  known: GuestIdentity,
  kind: ObservedRow['kind'],
  config: GuestConfig | undefined,
): boolean {
  if (known.kind !== kind) return true;
  if (config === undefined) return false;
  if (kind === 'QEMU') {
    return known.smbiosUuid !== null && config.smbiosUuid !== null && known.smbiosUuid !== config.smbiosUuid;
  }
  const macs = macsOf(config);
  return known.macs.length > 0 && macs.length > 0 && !macs.some((mac) => known.macs.includes(mac));
}

export function absorbGuest(context: Absorbing, row: ObservedRow, known: GuestView | undefined): void {
  const { writes, view, cluster, seen, parts, change, events } = context;
  const key = String(row.vmid);
  const configRead = parts.config.get(key);
  const config = configOf(configRead);
  const { another, incarnation } = whoLives(view, guestKey(cluster.name, row.vmid), known, row.kind, config);
  const before = another ? undefined : known;
  context.incarnations.set(row.vmid, incarnation);

  if (another && known !== undefined) {
    departs(writes, view, known, seen.askedAt);
    events.push({ type: 'REMOVED', guest: known.id, at: seen.askedAt, from: known.row.name, to: null });
  }
  const next = guestRow(row, before?.row, change, seen.askedAt, context.previousPoll);
  writes.put(writes.key('guest', key, incarnation), next, before?.row, seen.askedAt, change.after);

  const { changed: configChanged, devicesSince } = absorbConfig(context, key, incarnation, configRead, before);
  absorbInterfaces(context, key, incarnation, before, devicesSince);
  if (another || known === undefined) forgetReads(context, key);
  const id = guestId(cluster.name, row.vmid, incarnation);
  events.push(...happened(id, before, next, configChanged, seen.askedAt));
}

/** Whether another guest lives there now, and as which one. */
function whoLives(
  view: InventoryView,
  key: GuestKey,
  known: GuestView | undefined,
  kind: ObservedRow['kind'],
  config: GuestConfig | undefined,
): { readonly another: boolean; readonly incarnation: number } {
  if (known !== undefined && config === undefined) {
    // A poll reads few configs: without one, the type alone can tell.
    const another = known.row.kind !== kind;
    return { another, incarnation: known.incarnation + (another ? 1 : 0) };
  }
  const lastHere = identityOf(known, view.identities.get(key));
  if (lastHere === undefined) return { another: false, incarnation: 1 };
  const another = isAnotherGuest(lastHere, kind, config);
  return { another, incarnation: lastHere.incarnation + (another ? 1 : 0) };
}

/** Who lives there by what is known of the guest, or who lived there last. */
function identityOf(guest: GuestView | undefined, last: GuestIdentity | undefined): GuestIdentity | undefined {
  if (guest === undefined) return last;
  const earlier = last?.incarnation === guest.incarnation ? last : undefined;
  const macs = guest.config === null ? [] : macsOf(guest.config);
  return {
    incarnation: guest.incarnation,
    kind: guest.row.kind,
    smbiosUuid: guest.config?.smbiosUuid ?? earlier?.smbiosUuid ?? null,
    macs: macs.length > 0 ? macs : (earlier?.macs ?? []),
  };
}

/** Ends what is known of a guest, and remembers who it was: whoever comes to live there is held against that. */
export function departs(writes: Writes, view: InventoryView, guest: GuestView, at: Instant): void {
  const last = view.identities.get(guest.key);
  endGuest(writes, guest, at);
  writes.put(writes.key('guest.identity', String(guest.vmid)), identityOf(guest, last), last, at, null);
}

/** The row as kept: a row without rrd data leaves name, template and sizes as they were. */
function guestRow(
  row: ObservedRow,
  known: GuestRow | undefined,
  change: ChangeInterval,
  askedAt: Instant,
  previousPoll: Instant | null,
): GuestRow {
  if (known !== undefined && saysTheSame(row, known, askedAt, previousPoll)) return known;
  const name = row.name === undefined ? (known?.name ?? null) : row.name;
  const since = <K extends 'name' | 'node' | 'status' | 'lock'>(field: K, value: GuestRow[K]) =>
    known !== undefined && known[field] === value ? (known.since[field] ?? FIRST_LOOK) : change;
  return {
    kind: row.kind,
    node: row.node,
    status: row.status,
    name,
    template: row.template ?? known?.template ?? false,
    tags: row.tags,
    pool: row.pool,
    lock: row.lock,
    lockedSince: row.lock === null ? null : known?.lock === row.lock ? known.lockedSince : askedAt,
    ha: row.ha,
    cores: row.cores ?? known?.cores ?? null,
    memoryBytes: row.memoryBytes ?? known?.memoryBytes ?? null,
    diskBytes: row.diskBytes ?? known?.diskBytes ?? null,
    startedAt: startOf(row, known, askedAt, previousPoll),
    sparse: row.name === undefined,
    hidden: false,
    since: {
      name: since('name', name),
      node: since('node', row.node),
      status: since('status', row.status),
      presence: known === undefined || known.hidden ? change : known.since.presence,
      lock: since('lock', row.lock),
    },
  };
}

/** Nearly every row of a poll says what the last one said: then nothing is made of it. */
function saysTheSame(row: ObservedRow, known: GuestRow, askedAt: Instant, previousPoll: Instant | null): boolean {
  return (
    row.kind === known.kind &&
    row.node === known.node &&
    row.status === known.status &&
    row.name === (known.name ?? undefined) &&
    (row.template ?? known.template) === known.template &&
    row.pool === known.pool &&
    row.lock === known.lock &&
    row.ha === known.ha &&
    (row.cores ?? known.cores) === known.cores &&
    (row.memoryBytes ?? known.memoryBytes) === known.memoryBytes &&
    (row.diskBytes ?? known.diskBytes) === known.diskBytes &&
    known.sparse === (row.name === undefined) &&
    !known.hidden &&
    known.since.lock !== undefined &&
    sameValue(row.tags, known.tags) &&
    startOf(row, known, askedAt, previousPoll) === known.startedAt
  );
}

/** A known start stays unless the uptime is too short for it: figures that lag behind must not look like a reboot. */
function startOf(
  row: ObservedRow,
  known: GuestRow | undefined,
  askedAt: Instant,
  previousPoll: Instant | null,
): Instant | null {
  if (row.status !== 'RUNNING' && row.status !== 'PAUSED')
    return row.status === 'UNKNOWN' ? (known?.startedAt ?? null) : null;
  if (row.uptimeSeconds === undefined) return known?.startedAt ?? null;
  const told = askedAt - row.uptimeSeconds * SECOND;
  if (known === undefined || known.startedAt === null || previousPoll === null) return told;
  const later = told > known.startedAt + UPTIME_SLACK;
  const restarted = later && told > previousPoll - UPTIME_SLACK;
  return restarted ? told : known.startedAt;
}

function absorbConfig(
  { writes, cluster, reads, change }: Absorbing,
  key: string,
  incarnation: number,
  read: PartRead | undefined,
  before: GuestView | undefined,
): { readonly changed: boolean; readonly devicesSince: ChangeInterval } {
  const untouched = { changed: false, devicesSince: before?.config?.devicesSince ?? FIRST_LOOK };
  if (read === undefined) return untouched;
  const known = before?.parts.config ?? NEVER_READ;
  reads.push(readRow(cluster.state.source, read, known));
  const config = configOf(read);
  if (config === undefined) return untouched;
  const same = before?.config != null && sameValue(before.config.devices, config.devices);
  const devicesSince = same ? untouched.devicesSince : changedAt(change, known, read);
  const version = writes.key('guest.config', key, incarnation);
  const changed = writes.put(version, { ...config, devicesSince }, before?.config, read.askedAt, known.askedAt);
  return { changed, devicesSince };
}

/** First reads within a source's first pass, or of a part that was never read, have no earlier word to differ from. */
function changedAt(change: ChangeInterval, known: PartState, read: PartRead): ChangeInterval {
  return known.askedAt === null
    ? { ...change, before: change.before === null ? null : read.askedAt }
    : { after: known.askedAt, before: read.askedAt };
}

function absorbInterfaces(
  { writes, cluster, parts, reads }: Absorbing,
  key: string,
  incarnation: number,
  before: GuestView | undefined,
  devicesSince: ChangeInterval,
): void {
  const read = parts.addresses.get(key);
  if (read === undefined) return;
  const known = before?.parts.addresses ?? NEVER_READ;
  // A part that still does not exist is no news: writing it at every read would be a write a guest and round.
  reads.push(readRow(cluster.state.source, read, known));
  if (read.result.kind === 'none' && before?.interfaces != null && (known.askedAt ?? 0) < (devicesSince.before ?? 0)) {
    // Its devices were edited after it was last seen: what it was seen with is over, and the config speaks.
    writes.end(writes.key('guest.addresses', key, incarnation), read.askedAt);
  }
  if (read.result.kind !== 'read' || read.result.part !== 'addresses') return;
  const body: GuestInterfaces = read.result.value;
  writes.put(writes.key('guest.addresses', key, incarnation), body, before?.interfaces, read.askedAt, known.askedAt);
}

/** What an earlier guest's parts were read at says nothing about the one that lives here now. */
function forgetReads({ reads, cluster, parts }: Absorbing, key: string): void {
  for (const part of ['config', 'addresses'] as const) {
    if (parts[part].has(key)) continue;
    const row: PartReadRow = {
      source: cluster.state.source,
      part,
      key,
      state: 'never',
      askedAt: null,
      attemptedAt: null,
      failures: 0,
      reason: null,
    };
    reads.push(row);
  }
}

function happened(
  guest: string,
  before: GuestView | undefined,
  next: GuestRow,
  configChanged: boolean,
  at: Instant,
): readonly InventoryEvent[] {
  if (before === undefined) return [{ type: 'CREATED', guest, at, from: null, to: next.name }];
  const events: InventoryEvent[] = [];
  const was = before.row;
  if (was.node !== next.node) events.push({ type: 'MOVED', guest, at, from: was.node, to: next.node });
  if (was.status !== next.status && was.status !== 'UNKNOWN' && next.status !== 'UNKNOWN') {
    events.push({ type: 'POWER_CHANGED', guest, at, from: was.status, to: next.status });
  }
  const rowEdited =
    was !== next && (was.name !== next.name || !sameValue(was.tags, next.tags) || was.template !== next.template);
  if (rowEdited || (configChanged && before.config !== null)) {
    events.push({ type: 'CONFIG_CHANGED', guest, at, from: was.name, to: next.name });
  }
  return events;
}
