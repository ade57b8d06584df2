import type { GuestDeclaration, VmDeclaration } from '../../src/domain/declaration.js';
import { DAY, MINUTE } from '../../src/domain/time.js';
import { CONF, TABLE } from './domain-declared.js';
import { DCIM } from './domain-netbox.js';
import type { WholePath } from './whole-path.js';
import { OBSERVERS } from './whole-path-services.js';
import type { Step } from './whole-path-steps.js';
import { ofGuest } from './whole-path-truth.js';

/** Who hears who answers for an address. */
const WIRES = OBSERVERS.filter(({ kind }) => kind !== 'npm').map(({ name }) => name);

const first = (those: readonly string[], blind: (what: string) => string | undefined): string | undefined =>
  those.map(blind).find((why) => why !== undefined);

/**
 * Law 1, reckoned without the product: what could not be looked at when it was last tried, by what the outside was then.
 * While something is out of sight, nothing is said of it.
 */
export class Sight {
  readonly #path: WholePath;
  /** Clusters, declared sources, `node cluster/name`, `guest cluster/vmid`, `quorum`, `rrd cluster/vmid`. */
  readonly #blind = new Set<string>();
  /** Since when guests were last seen at work: a lock excuses what it does for a day. */
  readonly #atWork = new Map<string, { readonly lock: string; readonly since: number }>();

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
      note(name, world.isSilent(name));
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
        if (guest.lock === null || guest.lock === 'suspended') this.#atWork.delete(key);
        else if (guest.listed && this.#atWork.get(key)?.lock !== guest.lock)
          this.#atWork.set(key, { lock: guest.lock, since: world.now });
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
      if (kind === 'CERTIFICATE_EXPIRING' || kind.startsWith('PROXY_TARGET_')) return this.#ofProxy(kind, type, blind);
      if (type === 'RESOLVED') return undefined;
      // Whoever cannot be heard may have written it down, or heard it answer.
      if (kind === 'ADDRESS_NOT_DECLARED') return first([TABLE, CONF, DCIM], blind);
      if (kind === 'DECLARED_ADDRESS_UNUSED') return first(WIRES, blind);
      if (kind === 'ADDRESS_ANSWERED_BY_OTHER' && WIRES.every((what) => this.#blind.has(what)))
        return 'nobody listens on the wires';
      return undefined;
    }
    const [key, cluster] = guest;
    if (kind === 'DECLARATIONS_CONFLICT' || (type === 'RESOLVED' && this.#isUnsaid(kind, key))) return undefined;
    const seen = [blind(cluster ?? ''), type === 'RESOLVED' ? undefined : this.#excuse(kind, key)];
    // Nothing is left to differ of a guest that is gone, or that another one followed under its VMID.
    const isGone = subject.includes('@') && this.#path.leader.replica.view().guestsByKey.get(key)?.id !== subject;
    if (isGone && type === 'RESOLVED') return seen.find((why) => why !== undefined);
    // Whoever is listed or has its number is there, seen or not.
    if (kind !== 'GUEST_MISSING' || type !== 'RESOLVED') seen.push(blind(`guest ${key}`));
    if (kind === 'NAME_DIFFERS') seen.push(blind(TABLE), blind(`quorum ${cluster}`), blind(`rrd ${key}`));
    if (kind === 'NODE_DIFFERS') seen.push(blind(TABLE), blind(`quorum ${cluster}`));
    if (kind === 'STATUS_DIFFERS') seen.push(blind(TABLE), blind(`rrd ${key}`));
    if (kind === 'GUEST_MISSING' && type !== 'RESOLVED') seen.push(blind(`quorum ${cluster}`));
    if (kind === 'GUEST_NOT_DECLARED' && type !== 'RESOLVED') seen.push(blind(TABLE), blind(DCIM));
    return seen.find((why) => why !== undefined);
  }

  #ofProxy(kind: string, type: string, blind: (what: string) => string | undefined): string | undefined {
    const silent = blind('edge');
    if (silent !== undefined || type === 'RESOLVED' || kind === 'CERTIFICATE_EXPIRING') return silent;
    if (kind === 'PROXY_TARGET_UNKNOWN') return first([TABLE, CONF, DCIM, ...WIRES, 'main', 'lab'], blind);
    return this.#blind.has('main') && this.#blind.has('lab') ? 'all clusters are out of sight' : undefined;
  }

  /** What is being done to a guest, and excuses what it looks like. */
  #excuse(kind: string, key: string): string | undefined {
    const work = this.#atWork.get(key);
    if (work === undefined) return undefined;
    const isMade = work.lock === 'clone' || work.lock === 'create';
    const isNew = this.#path.world.now - work.since < DAY - 10 * MINUTE;
    const isExcused = (kind === 'STATUS_DIFFERS' && isNew) || (kind === 'GUEST_NOT_DECLARED' && isMade);
    return isExcused ? `it is locked for ${work.lock}` : undefined;
  }

  /** Whether what people wrote is enough to know that a difference is over: what cannot be read never spoke of it. */
  #isUnsaid(kind: string, key: string): boolean {
    const vmid = Number(key.slice(key.indexOf('/') + 1));
    const { declared } = this.#path.leader.replica.view();
    const rows: (GuestDeclaration | VmDeclaration)[] = [];
    for (const name of [TABLE, DCIM]) {
      if (!this.#blind.has(name)) rows.push(...ofGuest(this.#path.world.written.get(name) ?? [], vmid));
      else if (ofGuest(declared.get(`declared:${name}`)?.rows.values() ?? [], vmid).length > 0) return false;
    }
    switch (kind) {
      case 'GUEST_NOT_DECLARED':
        return rows.length > 0;
      case 'NAME_DIFFERS':
        return rows.every((row) => row.kind !== 'guest' || row.name === null);
      case 'NODE_DIFFERS':
        return rows.every((row) => row.kind !== 'guest' || row.node === null);
      case 'STATUS_DIFFERS':
        return rows.every(({ status }) => status === null || status.means === 'planned');
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
