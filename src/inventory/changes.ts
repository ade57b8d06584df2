import { demand, type Principal, seesTenant } from '../domain/access.js';
import type { Declaration } from '../domain/declaration.js';
import { DomainError } from '../domain/errors.js';
import { decodeCursor, directionOf, encodeCursor, type Page, type PageRequest, type Place } from '../domain/page.js';
import { tenantOf } from '../domain/tenancy.js';
import type { Instant } from '../domain/time.js';
import type { VersionKind } from '../domain/version.js';
import type { ChangesQuery, Store, VersionChange } from '../store/store.js';
import { type ChangeKind, type Told, toldBy } from './changes-told.js';

/** What can change, with the versions that tell it. A guest's parts are told as its own changes. */
const SUBJECTS = {
  GUEST: ['guest', 'guest.config', 'guest.addresses', 'guest.power'],
  PROXMOX_NODE: ['node'],
  CLUSTER: ['cluster'],
  DECLARATION: ['declared.row'],
  PROXY_HOST: ['npm.proxy_host'],
  REDIRECTION: ['npm.redirection'],
  STREAM: ['npm.stream'],
  CERTIFICATE: ['npm.certificate'],
  NETWORK_DEVICE: ['unifi.device'],
  NETWORK: ['unifi.network'],
  CLIENT: ['unifi.client'],
  NEIGHBOUR: ['neighbour'],
  HARDWARE: ['hardware', 'hardware.health'],
} as const satisfies Readonly<Record<string, readonly VersionKind[]>>;
export type ChangeSubjectKind = keyof typeof SUBJECTS;

const SUBJECT_OF = new Map<VersionKind, ChangeSubjectKind>(
  (Object.keys(SUBJECTS) as ChangeSubjectKind[]).flatMap((subject) =>
    SUBJECTS[subject].map((kind): [VersionKind, ChangeSubjectKind] => [kind, subject]),
  ),
);
/** Clients and neighbours come and go all day: they are told to whoever asks for them. */
const USUAL = (Object.keys(SUBJECTS) as ChangeSubjectKind[]).filter(
  (kind) => kind !== 'CLIENT' && kind !== 'NEIGHBOUR',
);

/** One thing that changed between two moments. */
export interface ChangeRecord extends Told {
  /** When it was first seen so. */
  readonly at: Instant;
  readonly subject: { readonly kind: ChangeSubjectKind; readonly id: string };
  /** Who said so. */
  readonly source: string;
}

export interface ChangesFilter {
  readonly subjects?: readonly ChangeSubjectKind[] | undefined;
  readonly kinds?: readonly ChangeKind[] | undefined;
  readonly cluster?: string | undefined;
  /** Changes of the guests under this VMID. */
  readonly vmid?: number | undefined;
}

export interface ChangesWanted extends PageRequest {
  /** After this moment … */
  readonly from: Instant;
  /** … and up to this one. */
  readonly to: Instant;
  readonly filter?: ChangesFilter | undefined;
}

const ORDER = 'changes';
/** Steps that one question to the database asks for at most. */
const STEPS = 1_000;

/** What tells the estate of `from` from the estate of `to`, newest first, for who may see it now. */
export async function inventoryChanges(
  principal: Principal,
  store: { readonly versions: Pick<Store['versions'], 'changes'> },
  wanted: ChangesWanted,
): Promise<Page<ChangeRecord>> {
  demand(principal, 'inventory:read');
  if (wanted.from > wanted.to) {
    throw new DomainError('VALIDATION_ERROR', 'from must not be later than to', { field: ['from'] });
  }
  const { backward, size, from } = directionOf(principal, wanted);
  const cursor = from === undefined ? undefined : placeOf(from, backward ? 'before' : 'after');
  const found: Step[] = [];
  for await (const step of steps(principal, store, wanted, { backward, cursor, most: size + 1 })) {
    found.push(step);
    if (found.length > size) break;
  }
  const more = found.length > size;
  const page = found.slice(0, size);
  if (backward) page.reverse();
  const places = new Map(page.map(({ change, place }) => [change, place]));
  return {
    items: page.map(({ change }) => change),
    hasNextPage: backward ? from !== undefined : more,
    hasPreviousPage: backward ? more : from !== undefined,
    cursorOf: (change) => encodeCursor(ORDER, places.get(change) ?? []),
    totalCount: async () => {
      let count = 0;
      const whole = { backward: false, cursor: undefined, most: STEPS };
      for await (const _ of steps(principal, store, wanted, whole)) count += 1;
      return count;
    },
  };
}

interface Step {
  readonly change: ChangeRecord;
  readonly place: Place;
}

interface Cursor {
  readonly at: Instant;
  readonly id: string;
  readonly step: 0 | 1;
  /** Which of the changes that one step tells. */
  readonly n: number;
}

function placeOf(cursor: string, field: string): Cursor {
  const [at, id, step, n] = decodeCursor(ORDER, cursor, field);
  if (typeof at !== 'number' || typeof id !== 'string' || !/^\d{1,18}$/.test(id) || typeof n !== 'number') {
    throw new DomainError('VALIDATION_ERROR', `${field} is not a cursor of this list; start without it`, {
      field: [field],
    });
  }
  return { at, id, step: step === 1 ? 1 : 0, n };
}

/** The changes beyond a place, in reading order; asked for in pages until the reader has enough. */
async function* steps(
  principal: Principal,
  store: { readonly versions: Pick<Store['versions'], 'changes'> },
  { from, to, filter = {} }: ChangesWanted,
  { backward, cursor, most }: { backward: boolean; cursor: Cursor | undefined; most: number },
): AsyncGenerator<Step> {
  const query = { from, to, oldestFirst: backward, ...narrowed(filter) };
  // The step at the edge is read again: it may tell more than one change.
  let edge: Cursor | undefined = cursor;
  let limit = Math.min(STEPS, most + 10);
  for (;;) {
    const rows = await store.versions.changes({
      ...query,
      limit,
      ...(edge && { [backward ? 'downto' : 'upto']: edge }),
    });
    for (const row of rows) yield* beyond(principal, row, edge, filter, backward);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    edge = { at: last.at, id: last.id, step: last.step, n: backward ? -1 : Number.POSITIVE_INFINITY };
    limit = STEPS;
  }
}

function narrowed({
  subjects = USUAL,
  cluster,
  vmid,
}: ChangesFilter): Pick<ChangesQuery, 'kinds' | 'cluster' | 'keys'> {
  // Only guests have a VMID for a key.
  const kinds = subjects.filter((subject) => vmid === undefined || subject === 'GUEST').flatMap((s) => SUBJECTS[s]);
  return {
    kinds,
    ...(cluster !== undefined && { cluster }),
    ...(vmid !== undefined && { keys: [String(vmid)] }),
  };
}

function* beyond(
  principal: Principal,
  row: VersionChange,
  edge: Cursor | undefined,
  filter: ChangesFilter,
  backward: boolean,
): Generator<Step> {
  if (!sees(principal, row)) return;
  const subject = subjectOf(row);
  if (subject === undefined) return;
  const isEdge = edge !== undefined && row.id === edge.id && row.step === edge.step;
  const told = toldBy(row).map((one, n): Step => {
    const change = { ...one, at: row.at, subject, source: row.version.source };
    return { change, place: [row.at, row.id, row.step, n] };
  });
  for (const [n, step] of backward ? [...told.entries()].reverse() : told.entries()) {
    if (isEdge && (backward ? n >= edge.n : n <= edge.n)) continue;
    if (filter.kinds === undefined || filter.kinds.includes(step.change.kind)) yield step;
  }
}

function subjectOf({ version }: VersionChange): ChangeRecord['subject'] | undefined {
  const { source, cluster, key, incarnation } = version;
  const kind = SUBJECT_OF.get(version.kind);
  switch (kind) {
    case undefined:
      return undefined;
    case 'GUEST':
      return { kind, id: `${cluster}/${key}@${incarnation}` };
    case 'PROXMOX_NODE':
    case 'HARDWARE':
      return { kind, id: `${cluster}/${key}` };
    case 'CLUSTER':
      return { kind, id: cluster };
    default:
      // Of a service: its name, then the record.
      return { kind, id: `${source.slice(source.indexOf(':') + 1)}/${key}` };
  }
}

/** Whose a change is, by the rights of now. A declaration belongs to the guest that it names, else to all clusters. */
function sees(principal: Principal, { version }: VersionChange): boolean {
  const { kind, cluster, key, body } = version;
  switch (SUBJECT_OF.get(kind)) {
    case 'GUEST':
      return seesTenant(principal, tenantOf({ cluster, vmid: Number(key) }));
    case 'DECLARATION':
      return seesTenant(principal, tenantOf(declaredPlace(body as Declaration)));
    default:
      return seesTenant(principal, tenantOf({ cluster }));
  }
}

function declaredPlace(declaration: Declaration): { readonly cluster: string; readonly vmid?: number } {
  const cluster = 'cluster' in declaration ? (declaration.cluster ?? '*') : '*';
  if (declaration.kind === 'guest' && declaration.from === declaration.to) return { cluster, vmid: declaration.from };
  if (declaration.kind === 'vm' && declaration.vmid !== null) return { cluster, vmid: declaration.vmid };
  return { cluster };
}
