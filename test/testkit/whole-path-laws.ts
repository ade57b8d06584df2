import type { GuestDeclaration, VmDeclaration } from '../../src/domain/declaration.js';
import { DAY, MINUTE } from '../../src/domain/time.js';
import type { InventoryView } from '../../src/domain/view.js';
import { CONF, TABLE } from './domain-declared.js';
import { DCIM } from './domain-netbox.js';
import type { Step, WholePath } from './whole-path.js';
import type { Server } from './whole-path-server.js';
import { FILES } from './whole-path-world.js';

export const DRIFT_TOPICS = ['detected', 'updated', 'acknowledged', 'suppressed', 'resolved', 'reopened'].map(
  (word) => `drift.${word}`,
);

/** A person's word as it was taken, in the order of taking. */
export interface Said {
  readonly findingId: string;
  readonly kind: 'acknowledge' | 'suppress' | 'reopen';
  readonly until: number;
}

/** What table and NetBox write of a VMID. */
function saying({ world }: WholePath, vmid: number): readonly (GuestDeclaration | VmDeclaration)[] {
  return [TABLE, DCIM].flatMap((name) =>
    (world.written.get(name) ?? []).filter(
      (row) => (row.kind === 'guest' && row.from === vmid) || (row.kind === 'vm' && row.vmid === vmid),
    ),
  ) as readonly (GuestDeclaration | VmDeclaration)[];
}

const LIVING = ['OPEN', 'ACKNOWLEDGED', 'SUPPRESSED', 'IGNORED'];

/**
 * Law 1, reckoned without the product: what could not be looked at when it was last tried, by what the outside was then.
 * While something is out of sight, nothing is said of it.
 */
export class Sight {
  readonly #path: WholePath;
  /** Clusters, declared sources, `node cluster/name`, `guest cluster/vmid`, `quorum`, `rrd cluster/vmid`. */
  readonly #blind = new Set<string>();

  constructor(path: WholePath) {
    this.#path = path;
    path.looked = (sources) => this.#looked(sources);
    path.stepped = (steps) => this.#check(steps);
  }

  #looked(sources: readonly string[]): void {
    const { world } = this.#path;
    const note = (what: string, isBlind: boolean) => (isBlind ? this.#blind.add(what) : this.#blind.delete(what));
    for (const source of sources) {
      const name = source.slice(source.indexOf(':') + 1);
      note(name, world.dark.has(name));
      if (!source.startsWith('proxmox:') || world.dark.has(name)) continue;
      const { nodes, quorate } = world.estate.cluster(name);
      for (const node of nodes.values()) note(`node ${name}/${node.name}`, !node.online);
      note(`quorum ${name}`, !quorate);
      for (const what of [...this.#blind])
        if (/^(guest|rrd) /.test(what) && what.includes(` ${name}/`)) this.#blind.delete(what);
      for (const [key, guest] of world.estate.guests) {
        if (guest.cluster !== name) continue;
        note(`guest ${key}`, !guest.listed || nodes.get(guest.node)?.online === false);
        note(`rrd ${key}`, !guest.tracked);
      }
    }
  }

  /** Why nothing may be said of a finding now; undefined: it may. */
  #silence({ findingId, type }: Step): string | undefined {
    const blind = (what: string) => (this.#blind.has(what) ? `${what} is out of sight` : undefined);
    const [kind = '', subject = ''] = findingId.split(':');
    const everything = ['main', 'lab', TABLE, CONF, DCIM];
    if (everything.every((what) => this.#blind.has(what))) return 'everything is out of sight';
    const guest = /^(main|lab)\/\d+/.exec(subject);
    if (guest === null) {
      if (kind === 'ADDRESS_NOT_DECLARED' && type !== 'RESOLVED')
        return [TABLE, CONF, DCIM].map(blind).find((why) => why !== undefined);
      return undefined;
    }
    const [key, cluster] = guest;
    if (kind === 'DECLARATIONS_CONFLICT' || (type === 'RESOLVED' && this.#isUnsaid(kind, key))) return undefined;
    const seen = [blind(cluster ?? '')];
    // Nothing is left to differ of a guest that is gone, or that another one followed under its VMID.
    const isGone = subject.includes('@') && this.#path.leader.replica.view().guestsByKey.get(key)?.id !== subject;
    if (isGone && type === 'RESOLVED') return seen.find((why) => why !== undefined);
    // Whoever is listed or has its number is there, seen or not.
    if (kind !== 'GUEST_MISSING' || type !== 'RESOLVED') seen.push(blind(`guest ${key}`));
    if (kind === 'NAME_DIFFERS') seen.push(blind(TABLE), blind(`quorum ${cluster}`), blind(`rrd ${key}`));
    if (kind === 'STATUS_DIFFERS') seen.push(blind(TABLE), blind(`rrd ${key}`));
    if (kind === 'GUEST_MISSING' && type !== 'RESOLVED') seen.push(blind(`quorum ${cluster}`));
    if (kind === 'GUEST_NOT_DECLARED' && type !== 'RESOLVED') seen.push(blind(TABLE), blind(DCIM));
    return seen.find((why) => why !== undefined);
  }

  /** Whether what people wrote, and all of it can be read, is enough to know that a difference is over. */
  #isUnsaid(kind: string, key: string): boolean {
    if ([TABLE, DCIM].some((what) => this.#blind.has(what))) return false;
    const rows = saying(this.#path, Number(key.slice(key.indexOf('/') + 1)));
    switch (kind) {
      case 'GUEST_NOT_DECLARED':
        return rows.length > 0;
      case 'NAME_DIFFERS':
        return rows.every((row) => row.kind !== 'guest' || row.name === null);
      case 'STATUS_DIFFERS':
        return rows.every((row) => row.kind !== 'guest' || row.status === null);
      case 'ADDRESS_DIFFERS':
        return rows.every((row) => row.addresses.length === 0);
      case 'GUEST_MISSING':
        return rows.every((row) => row.status?.means === 'planned');
      default:
        return rows.length === 0;
    }
  }

  #check(news: readonly Step[]): void {
    for (const step of news) {
      if (step.actor !== null || step.cursor === null) continue;
      const why = this.#silence(step);
      if (why !== undefined) this.#path.holds(`law 1: ${step.type} ${step.findingId}, though ${why}`, step, null);
    }
  }
}

/** What a view says that must not depend on who lived how long. */
export function knowledge(view: InventoryView, now: number) {
  const { number: _, seq: __, findings, declared, declarations, ...rest } = view;
  // A start reads the rows that ended within a day, and nothing looks at older ones.
  const young = <T extends { readonly removed: InventoryView['declarations'][number]['removed'] }>(one: T): T => ({
    ...one,
    removed: one.removed
      .filter(({ goneAt }) => goneAt > now - DAY + MINUTE)
      .toSorted((a, b) => (a.row.key < b.row.key ? -1 : 1)),
  });
  return {
    ...rest,
    declarations: declarations.map(young),
    declared: [...declared].map(([source, one]) => [source, young(one)]),
    findings: [...findings.byId].sort(([one], [other]) => (one < other ? -1 : 1)),
  };
}

/** Law 4 and the table of a finding's life, told from its history alone and from what people said. */
export function checkLife(
  path: WholePath,
  steps: readonly Step[],
  said: readonly Said[],
  severityStepped: boolean,
): string {
  const words = [...said];
  let state = 'NONE';
  let word: (Said & { readonly of: string }) | undefined;
  let goneAt = 0;
  const legal = (claim: string, is: boolean, step: Step) => {
    if (!is) path.holds(`${claim}: ${step.type} from ${state} at step ${step.id}`, step, word ?? null);
  };
  for (const step of steps) {
    const of = `${step.declared} | ${step.observed}`;
    if (step.actor !== null) {
      const next = words.shift();
      legal('law 4: a person’s step is her word', next !== undefined && next.findingId === step.findingId, step);
      word = next === undefined || next.kind === 'reopen' ? undefined : { ...next, of };
      state = { acknowledge: 'ACKNOWLEDGED', suppress: 'SUPPRESSED', reopen: 'OPEN' }[next?.kind ?? 'reopen'];
      continue;
    }
    const isSilencing = word?.kind === 'suppress' && step.at < word.until;
    const isMeant = word?.kind === 'acknowledge' && word.of === of;
    switch (step.type) {
      case 'OPENED':
        legal('law 3: opened once', state === 'NONE' || state === 'IGNORED', step);
        legal('law 4: her word holds again when a rule ends', state === 'NONE' || !isSilencing, step);
        state = 'OPEN';
        break;
      case 'UPDATED':
        legal('law 2: only what is open is updated', state === 'OPEN', step);
        break;
      case 'RESOLVED':
        legal('law 3: what lives resolves', LIVING.includes(state), step);
        legal('silent is what was ignored', (step.cursor === null) === (state === 'IGNORED'), step);
        [state, goneAt] = ['RESOLVED', step.at];
        break;
      case 'REOPENED':
        if (state === 'ACKNOWLEDGED')
          legal('law 4: an acknowledgement holds for its values', !isMeant || severityStepped, step);
        else if (state === 'SUPPRESSED') legal('law 4: a suppression holds until its end', !isSilencing, step);
        else {
          legal('law 3: what is gone reopens as itself', state === 'RESOLVED', step);
          const isInTime = step.at - goneAt <= DAY;
          legal('law 4: what is so again is held', !isSilencing && !(isMeant && isInTime && !severityStepped), step);
        }
        [state, word] = ['OPEN', undefined];
        break;
      case 'ACKNOWLEDGED':
        legal('law 4: held again for its values', isMeant && step.cursor === null, step);
        state = 'ACKNOWLEDGED';
        break;
      case 'SUPPRESSED':
        legal('law 4: silent again until its end', isSilencing && step.cursor === null, step);
        state = 'SUPPRESSED';
        break;
      case 'IGNORED':
        legal('a rule is no news', step.cursor === null, step);
        state = 'IGNORED';
        break;
      default:
        legal('a step has a name', false, step);
    }
  }
  if (words.length > 0) path.holds('law 4: every word is in the history', words, []);
  return state;
}

/** Law 4 at every moment: what is acknowledged is what was said so of; what is open says what was last told. */
export function checkValues(path: WholePath): void {
  const last = new Map(path.steps.map((step) => [step.findingId, step]));
  for (const { id, state, declared, observed } of path.leader.replica.view().findings.byId.values()) {
    const told = last.get(id);
    if (state === 'OPEN' || state === 'ACKNOWLEDGED')
      path.holds(
        `law 4: ${id} is ${state} for its values`,
        { declared, observed },
        { declared: told?.declared, observed: told?.observed },
      );
  }
}

/** The findings table, the history and the event log agree with each other and with what people said. */
export async function checkRecord(path: WholePath, said: readonly Said[], severityStepped: boolean): Promise<void> {
  const { store } = path.leader;
  const byFinding = new Map<string, Step[]>();
  for (const step of path.steps) byFinding.set(step.findingId, [...(byFinding.get(step.findingId) ?? []), step]);
  const findings = await store.findings.page({ limit: 1_000 });
  path.holds('every finding has a history', findings.map(({ id }) => id).sort(), [...byFinding.keys()].sort());
  for (const finding of findings) {
    const steps = byFinding.get(finding.id) ?? [];
    const words = said.filter(({ findingId }) => findingId === finding.id);
    const state = checkLife(path, steps, words, severityStepped);
    path.holds(`${finding.id} is in the state of its history`, finding.state, state);
    path.holds(`${finding.id} counts its openings`, finding.occurrences, openings(steps));
    path.holds(`law 3: ${finding.id} opened once`, steps[0]?.type === 'OPENED' || steps[0]?.type === 'IGNORED', true);
  }
  const then = await store.findings.pageAsOf(path.world.now + DAY, { limit: 1_000 });
  const brief = (all: typeof findings) =>
    all.map(({ id, state, declared, observed }) => [id, state, declared, observed]);
  path.holds('findings as of now are the findings', brief(then), brief(findings));
  const told = path.steps.filter(({ cursor }) => cursor !== null);
  path.holds(
    'cursors ascend',
    told.every(({ cursor }, i) => i === 0 || (cursor ?? 0n) > (told[i - 1]?.cursor ?? 0n)),
    true,
  );
  const events = await store.events.after(0n, DRIFT_TOPICS, 10_000);
  path.holds(
    'every step that is told is one event',
    events.map(({ cursor, at, payload }) => {
      const { type, findingId, actor, declared, observed } = payload as Record<string, unknown>;
      return { cursor, at, type, findingId, actor, declared, observed };
    }),
    told.map(({ cursor, at, type, findingId, actor, declared, observed }) => {
      return { cursor, at, type, findingId, actor, declared, observed };
    }),
  );
}

/** 1, and once more for each time it came back after it was resolved. */
function openings(steps: readonly Step[]): number {
  return 1 + steps.filter((_, i) => i > 0 && steps[i - 1]?.type === 'RESOLVED').length;
}

/** A replica opened afresh equals the one that lived through it. */
export async function checkRestart(path: WholePath): Promise<void> {
  const before = path.leader;
  await path.caughtUp(before);
  const lived = knowledge(before.replica.view(), path.world.now);
  await path.restart();
  equal(path, path.leader, lived);
  await path.look('POLL', FILES);
}

function equal(path: WholePath, { replica }: Server, lived: ReturnType<typeof knowledge>): void {
  const fresh = knowledge(replica.view(), path.world.now);
  for (const part of Object.keys(lived) as (keyof typeof lived)[])
    path.holds(`law 5: a restart keeps ${part}`, sorted(fresh[part]), sorted(lived[part]));
}

function sorted(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  return [...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** Law 3 and the comparison's own word: what is so is told by something that lives; what is not so has no living finding. */
export function checkTold(path: WholePath): void {
  const comparison = path.comparison();
  const living = path.leader.replica.view().findings.byId;
  const isCovered = (id: string) => {
    const finding = living.get(id);
    return finding !== undefined && comparison.judged(finding.identity).judgement !== 'not covered';
  };
  const tells = (id: string) => comparison.so.has(id) || (living.has(id) && !isCovered(id));
  for (const { id, swallowers } of comparison.so.values()) {
    const isTold = swallowers.length > 0 && swallowers.every((group) => group.some(tells));
    if (!isTold) path.holds(`law 3: ${id} is so, and lives`, living.has(id), true);
  }
  for (const id of living.keys())
    path.holds(`law 3: ${id} lives, and is so`, comparison.so.has(id) || !isCovered(id), true);
}

/** What the world and the table say of names, presence and declarations, worked out without the product. */
export function checkTruth(path: WholePath): void {
  const { world } = path;
  const view = path.leader.replica.view();
  const so = path.comparison().so;
  const claim = (id: string, is: boolean) => {
    const isTold = view.findings.byId.has(id) || so.get(id)?.swallowedBy !== undefined;
    path.holds(`law 3: the world says whether ${id}`, so.has(id) && isTold, is);
  };
  for (const [key, guest] of world.estate.guests) {
    const known = view.guestsByKey.get(key);
    path.holds(`law 6: ${key} is known`, known?.row.node, guest.node);
    const rows = saying(path, guest.vmid);
    const row = rows.find((one) => one.kind === 'guest');
    claim(`GUEST_NOT_DECLARED:${known?.id}:`, rows.length === 0);
    if (row !== undefined) claim(`NAME_DIFFERS:${known?.id}:name`, row.name !== null && row.name !== guest.name);
    const word = row?.status?.means;
    if (word === 'running' || word === 'stopped')
      claim(`STATUS_DIFFERS:${known?.id}:status`, (guest.power === 'STOPPED') !== (word === 'stopped'));
  }
  for (const vmid of [100, 101, 102, 200]) {
    const key = `${vmid === 200 ? 'lab' : 'main'}/${vmid}`;
    const rows = saying(path, vmid);
    if (rows.some((row) => row.status?.means === 'planned')) continue;
    claim(`GUEST_MISSING:${key}:`, rows.length > 0 && !world.estate.guests.has(key));
  }
}

/** Law 2: looked at again and again, nothing is written but when it was looked at. */
export async function checkQuiet(path: WholePath): Promise<void> {
  const written = async () =>
    path.query(
      `SELECT (SELECT count(*)::int FROM versions) AS versions, (SELECT count(*)::int FROM finding_history) AS steps,
              (SELECT max(changed_seq)::int FROM findings) AS findings,
              (SELECT count(*)::int FROM finding_versions) AS finding_versions,
              (SELECT count(*)::int FROM events WHERE topic LIKE 'drift.%' OR topic LIKE 'inventory.%') AS events`,
    );
  const before = await written();
  await path.look('POLL');
  await path.wait(60_000);
  await path.look('ON_DEMAND');
  path.holds('law 2: seen again is no news', await written(), before);
  path.holds('law 2: nothing is asked for for ever', path.asks(), []);
}
