import { absorb, failedState } from '../../src/domain/absorb.js';
import { absorbDeclared } from '../../src/domain/absorb-declared.js';
import { absorbService } from '../../src/domain/absorb-service.js';
import { type Comparison, compare } from '../../src/domain/compare/compare.js';
import type { Ask } from '../../src/domain/compare/world.js';
import { type Decision, decide } from '../../src/domain/decision.js';
import type { Declaration, DeclaredOutcome, KeyConflict } from '../../src/domain/declaration.js';
import type { DriftEventType, Finding } from '../../src/domain/finding.js';
import { learn, relearn } from '../../src/domain/learn/learn.js';
import { type Lived, live } from '../../src/domain/lifecycle.js';
import type { PartKey } from '../../src/domain/observation.js';
import { DEFAULT_POLICY, type Policy } from '../../src/domain/policy.js';
import type { ServiceObservation } from '../../src/domain/record.js';
import { type ClusterSettings, type InventorySettings, unnamedCluster } from '../../src/domain/settings.js';
import { DAY, isoTime, MINUTE, SECOND } from '../../src/domain/time.js';
import type { Batch, ServiceKind, SourceState } from '../../src/domain/version.js';
import { emptyView, type InventoryView } from '../../src/domain/view.js';
import { declaresGuests, TABLE } from './domain-declared.js';
import { answer } from './domain-netbox.js';
import { Shelf } from './domain-shelf.js';
import { Estate, type Reading } from './estate-model.js';
import { aContract, aSourceState } from './view.js';

export interface RunWish {
  readonly estate?: Estate;
  readonly policy?: Partial<Policy>;
  readonly settings?: Readonly<Record<string, Partial<ClusterSettings>>>;
  /** false: nothing is compared until `compare` is called. */
  readonly compares?: boolean;
}

export interface Happened {
  readonly at: number;
  readonly type: DriftEventType;
  readonly id: string;
  readonly reason: string | null;
}

/** What a service says at one look. */
export type Served = Pick<ServiceObservation, 'records' | 'complete'> & { readonly nodes?: readonly string[] };

/** The whole pure pipeline over a model estate: collect, absorb, learn, compare, live. Every step leaves a line of its story. */
export class Run {
  readonly estate: Estate;
  policy: Policy;
  readonly story: string[] = [];
  readonly events: Happened[] = [];
  /** Every step, also those that nobody was told of. */
  readonly steps: { readonly id: string; readonly type: DriftEventType; readonly silent: boolean }[] = [];
  readonly findings = new Map<string, Finding>();
  view: InventoryView;
  comparison: Comparison;
  /** Versions that the last step wrote. */
  writes: readonly string[] = [];
  /** What services that are asked truly say now, by name. One that is not here does not answer. */
  readonly services = new Map<string, readonly Declaration[]>();
  readonly #shelf = new Shelf();
  readonly #settings: InventorySettings;
  readonly #compares: boolean;

  constructor(wish: RunWish = {}) {
    this.estate = wish.estate ?? new Estate();
    this.policy = { ...DEFAULT_POLICY, ...wish.policy };
    this.#compares = wish.compares ?? true;
    this.#settings = {
      contract: aContract(),
      precedence: DEFAULT_POLICY.precedence,
      declaredOff: [],
      cluster: (name) => ({ ...unnamedCluster(name, ''), broken: null, ...wish.settings?.[name] }),
    };
    this.view = emptyView(aContract());
    for (const cluster of this.estate.clusterNames()) {
      const source = `proxmox:${cluster}`;
      this.#learn({ writes: [], reads: [], state: { ...NEVER, source, cluster } });
    }
    this.comparison = compare(this.view, this.policy, this.estate.now);
  }

  /** One pass over a cluster. Also reads what was asked for, as a collector does. */
  poll(reading: Reading = 'list', cluster = 'main', asked: readonly Ask[] = []): this {
    const known = this.#cluster(cluster);
    const wanted = [...(typeof reading === 'string' ? [] : reading), ...partsOf(asked, cluster)];
    const seen = this.estate.observe(cluster, typeof reading === 'string' && wanted.length === 0 ? reading : wanted);
    return this.#absorbed(
      `poll ${cluster} [${typeof reading === 'string' ? reading : wanted.map((p) => `${p.part} ${p.key}`)}]`,
      absorb(this.view, known, seen, this.estate.now).batch,
    );
  }

  /** A pass that reads every part, and proves what is missing or in question. */
  full(cluster = 'main'): this {
    const known = this.#cluster(cluster);
    const seen = this.estate.observe(cluster, 'all', this.#questions(cluster));
    return this.#absorbed(`read all of ${cluster}`, absorb(this.view, known, seen, this.estate.now).batch);
  }

  /** Full passes until nothing is asked any more: what a patient collector comes to know. */
  settle(): this {
    for (let round = 0; round < 6; round++) {
      for (const cluster of this.estate.clusterNames()) this.full(cluster);
      this.askServices();
      if (this.comparison.asks.length === 0) return this;
      this.estate.pass(SECOND);
    }
    return this;
  }

  /** Ten seconds of a collector's life: the list, what it shows as changed, what was asked for, proofs of what is missing. */
  tick(more: readonly PartKey[] = [], cluster = 'main'): this {
    this.estate.pass(10 * SECOND);
    const asked = partsOf(this.comparison.asks, cluster);
    const changed = [...this.estate.guests.values()].filter(
      (guest) => guest.cluster === cluster && this.#differs(guest),
    );
    const parts = new Map<string, PartKey>();
    const missing = this.#missing(cluster).map((vmid): PartKey => ({ part: 'vmid', key: String(vmid) }));
    const touched = changed.flatMap(({ vmid, node }): PartKey[] => [
      { part: 'power', key: node },
      { part: 'config', key: String(vmid) },
      { part: 'addresses', key: String(vmid) },
    ]);
    for (const part of [...missing, ...touched, ...asked, ...more]) parts.set(`${part.part} ${part.key}`, part);
    return this.poll([...parts.values()], cluster).askServices();
  }

  unreachable(cluster = 'main'): this {
    const { state } = this.#cluster(cluster);
    const failed = failedState(state, 'connect ECONNREFUSED', this.estate.now, MINUTE);
    return this.#absorbed(`${cluster} is unreachable`, { writes: [], reads: [], state: failed });
  }

  /** A declared source is saved with these rows, and read. */
  write(name: string, rows: readonly Declaration[], keyConflicts: readonly KeyConflict[] = []): this {
    const at = this.estate.now;
    const value = {
      askedAt: at,
      declaresGuests: declaresGuests(rows) || name === TABLE,
      declaresAddresses: true,
      rows,
      problems: [],
      keyConflicts,
      rowCount: rows.length,
    };
    return this.declared(
      name,
      { kind: 'observed', at, value, contentHash: JSON.stringify(rows) },
      `${rows.length} rows`,
    );
  }

  /** A declared source is looked at, with this outcome. */
  declared(name: string, outcome: DeclaredOutcome, what: string = outcome.kind): this {
    const source = `declared:${name}`;
    const kept = this.view.declared.get(source) ?? {
      state: { ...NEVER, source, kind: 'declared' as const },
      meta: null,
      rows: new Map(),
      removed: [],
      asked: new Map(),
    };
    return this.#absorbed(`${name}: ${what}`, absorbDeclared(kept, outcome, this.estate.now));
  }

  /** A service is asked for all it has. */
  read(name: string): this {
    const truth = this.services.get(name);
    if (truth === undefined) return this.lose(name, 'connect ECONNREFUSED');
    const value = answer(this.view, this.view.declared.get(`declared:${name}`), truth, this.estate.now);
    const outcome = { kind: 'observed' as const, at: this.estate.now, value, contentHash: '' };
    return this.declared(name, outcome, `read, ${truth.length} rows`);
  }

  /** Services are asked for the guests that a doubt asks for. */
  askServices(): this {
    for (const [name, truth] of this.services) {
      const source = `declared:${name}`;
      const asked = this.comparison.asks.filter((ask) => ask.part === 'vm' && ask.source === source);
      if (asked.length === 0) continue;
      this.estate.pass(SECOND);
      const guests = asked.map(({ key }) => key);
      const value = answer(this.view, this.view.declared.get(source), truth, this.estate.now, guests);
      const outcome = { kind: 'observed' as const, at: this.estate.now, value, contentHash: '' };
      this.declared(name, outcome, `asked for ${guests.join(', ')}`);
    }
    return this;
  }

  lose(name: string, reason = 'it is empty'): this {
    return this.declared(name, { kind: 'unreachable', at: this.estate.now, reason, contentHash: null }, reason);
  }

  /** A service answers with these records. Those of a cluster are called `kind:cluster/host`. */
  serve(source: string, { records, complete, nodes }: Served): this {
    const seen = { askedAt: this.estate.now, records, complete, nodes: nodes ?? null, notes: [] };
    const batch = absorbService(this.view, this.#service(source), seen, this.estate.now);
    return this.#absorbed(`${source}: ${records.length} records`, batch);
  }

  silence(source: string): this {
    const state = failedState(this.#service(source), 'connect ECONNREFUSED', this.estate.now, MINUTE);
    return this.#absorbed(`${source} is unreachable`, { writes: [], reads: [], state });
  }

  retireService(source: string): this {
    const state: SourceState = { ...this.#service(source), outcome: 'RETIRED' };
    return this.#absorbed(`${source} is retired`, { writes: [], reads: [], state });
  }

  retire(cluster: string): this {
    const { state } = this.#cluster(cluster);
    return this.#absorbed(`${cluster} is retired`, { writes: [], reads: [], state: { ...state, outcome: 'RETIRED' } });
  }

  /** A person says something of a finding; it is compared again at once, as after every decision. */
  decide(id: string, decision: Decision, by = 'ann'): this {
    this.story.push(`${this.#time()} ${by}: ${decision.kind} ${id}`);
    const steps = decide(this.finding(id), decision, { at: this.estate.now, by });
    this.#lived({ changed: steps.slice(-1).map(({ after }) => after), events: steps });
    return this.compare();
  }

  /** The policy is edited. */
  rule(policy: Partial<Policy>): this {
    this.policy = { ...this.policy, ...policy };
    this.story.push(`${this.#time()} the policy says ${JSON.stringify(policy)}`);
    return this.compare();
  }

  /** Looks again without any news, as when something falls due. */
  wait(milliseconds: number): this {
    this.estate.pass(milliseconds);
    this.story.push(`${this.#time()} ${Math.round(milliseconds / SECOND)} s go by`);
    return this.compare();
  }

  compare(): this {
    const living = [...this.findings.values()].filter((finding) => finding.state !== 'RESOLVED');
    const findings = { ...this.view.findings, byId: new Map(living.map((finding) => [finding.id, finding])) };
    this.view = { ...this.view, findings };
    this.comparison = compare(this.view, this.policy, this.estate.now);
    this.#lived(live(this.findings, this.comparison, this.estate.now));
    return this;
  }

  /** What a replica that starts now would know. */
  rebuilt(): InventoryView {
    const view = learn(emptyView(aContract()), this.#shelf.everything(this.estate.now - DAY), this.#settings);
    return { ...view, number: this.view.number, findings: this.view.findings };
  }

  /** The settings as they are, applied to what is known: nothing may come of it. */
  relearn(): this {
    this.view = relearn(this.view, this.#settings);
    return this;
  }

  /** Ids of findings in a state, sorted. */
  open(state: Finding['state'] = 'OPEN'): readonly string[] {
    return [...this.findings.values()]
      .filter((finding) => finding.state === state)
      .map((finding) => finding.id)
      .sort();
  }

  finding(id: string): Finding {
    const finding = this.findings.get(id);
    if (finding === undefined) throw new Error(`no finding ${id}; there are ${[...this.findings.keys()].join(', ')}`);
    return finding;
  }

  told(): string {
    return this.story.join('\n');
  }

  #absorbed(what: string, batch: Batch): this {
    this.#learn(batch);
    this.writes = batch.writes.map((write) => {
      const { kind, key } = write.op === 'put' ? write.version : write.key;
      return `${write.op} ${kind} ${key}`;
    });
    this.story.push(`${this.#time()} ${what}`);
    return this.#compares ? this.compare() : this;
  }

  #learn(batch: Batch): void {
    this.view = learn(this.view, this.#shelf.apply(batch), this.#settings);
  }

  #lived({ changed, events }: Pick<Lived, 'changed' | 'events'>): void {
    for (const finding of changed) this.findings.set(finding.id, finding);
    for (const { at, type, findingId, reason, declared, observed, silent } of events) {
      if (!silent) this.events.push({ at, type, id: findingId, reason });
      this.steps.push({ id: findingId, type, silent });
      this.story.push(
        `         ${silent ? 'silently ' : ''}${type} ${findingId} (declared ${declared}, observed ${observed})`,
      );
    }
  }

  #service(source: string): SourceState {
    const [kind = '', rest = ''] = source.split(':');
    const cluster = kind === 'ip_neigh' || kind === 'hardware' ? (rest.split('/')[0] ?? '') : '';
    return this.view.services.get(source) ?? { ...NEVER, source, kind: kind as ServiceKind, cluster };
  }

  #cluster(name: string) {
    const cluster = this.view.clusters.get(name);
    if (cluster === undefined) throw new Error(`${name} is not in the view`);
    return cluster;
  }

  #missing(cluster: string): readonly number[] {
    return [...this.view.guests.values()]
      .filter((known) => known.cluster === cluster && this.estate.guests.get(known.key)?.listed !== true)
      .map((known) => known.vmid);
  }

  #questions(cluster: string): readonly number[] {
    const asked = this.comparison.asks.filter((ask) => ask.part === 'vmid' && ask.source === `proxmox:${cluster}`);
    const proven = [...this.view.absences.keys()].filter((key) => key.startsWith(`${cluster}/`));
    const numbers = [...asked.map((ask) => ask.key), ...proven.map((key) => key.slice(cluster.length + 1))].map(Number);
    return [...new Set([...this.#missing(cluster), ...numbers])];
  }

  #differs(guest: {
    cluster: string;
    vmid: number;
    node: string;
    power: string;
    lock: string | null;
    startedAt: number;
    name: string | null;
  }): boolean {
    const known = this.view.guestsByKey.get(`${guest.cluster}/${guest.vmid}`)?.row;
    if (known === undefined) return true;
    const power = guest.power === 'PAUSED' ? 'RUNNING' : guest.power;
    const restarted = known.startedAt !== null && Math.abs(known.startedAt - guest.startedAt) > MINUTE;
    return (
      known.node !== guest.node ||
      known.status !== power ||
      known.lock !== guest.lock ||
      known.name !== guest.name ||
      restarted ||
      known.hidden
    );
  }

  #time(): string {
    return isoTime(this.estate.now).slice(11, 19);
  }
}

const NEVER = {
  ...aSourceState({ source: '' }),
  outcome: 'NEVER' as const,
  firstSuccessAt: null,
  lastSuccessAt: null,
  lastAttemptAt: null,
  lastFullAt: null,
};

function partsOf(asks: readonly Ask[], cluster: string): readonly PartKey[] {
  return asks.flatMap(({ part, key, source }) =>
    part === 'row' || part === 'vm' || source !== `proxmox:${cluster}` ? [] : [{ part, key }],
  );
}
