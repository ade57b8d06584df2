import type { Outcome, Progress } from '../../domain/observation.js';
import type { ObservedRecord, RecordKind, ServiceObservation } from '../../domain/record.js';
import type { NpmSettings } from '../../domain/settings.js';
import { brokenService, type PassAsk, PassFailure, servicePass } from '../service-pass.js';
import { noneUnderstood, type Understood, understood } from '../understood.js';
import { type WireObject, wireObject } from '../wire-values.js';
import { type NpmClient, type NpmList, type NpmNeeds, npmClient } from './client.js';
import { NPM_LISTS, npmRecord } from './parse.js';

/** One Nginx Proxy Manager: its proxy hosts, redirections, streams and certificates. */
export interface NpmSource {
  /** One pass. Unreachable is an outcome; only cancelling throws (the signal's reason). */
  collect(request: { readonly progress: Progress }, signal: AbortSignal): Promise<Outcome<ServiceObservation>>;
  close(): Promise<void>;
}

export function npmSource(settings: NpmSettings, needs: NpmNeeds): NpmSource {
  if (settings.broken !== null) return brokenService(settings.broken, needs.now);
  const client = npmClient(settings, needs);
  const pass = { settings, client, now: needs.now };
  return {
    collect: ({ progress }, signal) => servicePass(needs.now, signal, (ask) => read(pass, ask, progress)),
    close: () => client.close(),
  };
}

interface Pass {
  readonly settings: NpmSettings;
  readonly client: NpmClient;
  readonly now: NpmNeeds['now'];
}

type Kept = Extract<NpmList, { kind: 'kept' }>;
type NotRead = Kept & { readonly what: string };

async function read(pass: Pass, ask: PassAsk, progress: Progress): Promise<ServiceObservation> {
  const { client, now } = pass;
  const askedAt = now();
  const records: ObservedRecord[] = [];
  const complete: RecordKind[] = [];
  const notes: string[] = [];
  const lists: Understood<ObservedRecord>[] = [];
  const kept: NotRead[] = [];
  client.begin();
  for (const [done, { kind, path, what }] of NPM_LISTS.entries()) {
    progress(done, NPM_LISTS.length);
    const list = await client.list(path, ask);
    if (list.kind === 'kept') {
      kept.push({ ...list, what });
      continue;
    }
    const made = understood(list.rows, what, (row) => npmRecord(kind, row));
    lists.push(made);
    records.push(...made.rows);
    notes.push(...made.notes);
    if (made.isWhole) complete.push(kind);
  }
  progress(NPM_LISTS.length, NPM_LISTS.length);
  if (kept.length === NPM_LISTS.length) throw new PassFailure(nothingToRead(pass.settings, kept));
  const foreign = noneUnderstood(lists, 'Nginx Proxy Manager');
  if (foreign !== undefined) throw new PassFailure(`${pass.settings.url} ${foreign}`);
  notes.push(...(await keptNotes(pass, kept, ask)));
  const mine = ownRowsOnly(await client.user(ask));
  if (mine) notes.push(ownRowsNote(pass.settings));
  return { askedAt, records, complete: mine ? [] : complete, nodes: null, notes };
}

async function keptNotes({ client, settings }: Pass, kept: readonly NotRead[], ask: PassAsk) {
  if (kept.length === 0) return [];
  const version = kept.some(({ status }) => status === 404) ? await client.version(ask) : undefined;
  const here = version === undefined ? 'this version' : `version ${version}`;
  return kept.map(({ what, status, words }) =>
    status === 404
      ? `${here} has no list of ${what} (${words}); what was known of them stays`
      : `${settings.identity} may not see the ${what} (${words}); what was known of them stays. Let the user view them`,
  );
}

function nothingToRead({ url, identity }: NpmSettings, [first]: readonly NotRead[]): string {
  return first?.status === 404
    ? `${url} signs in ${identity}, but has none of Nginx Proxy Manager's lists (${first.words}); check url`
    : `${url} lets ${identity} see nothing (${first?.words}); give the user permission to view all items`;
}

/** A user may be held to the rows it made itself, and is then told of no others, without a word. */
function ownRowsOnly(user: WireObject | undefined): boolean {
  const roles = Array.isArray(user?.roles) ? user.roles : [];
  return wireObject(user?.permissions)?.visibility === 'user' && !roles.includes('admin');
}

function ownRowsNote({ identity }: NpmSettings): string {
  return `${identity} sees only the items that it created itself, so none is taken for deleted; set its item visibility to all items`;
}
