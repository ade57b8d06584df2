import type pg from 'pg';
import type { CollectedSource, RunMode } from '../../src/collection/source.js';
import { type Comparison, compare } from '../../src/domain/compare/compare.js';
import type { Ask } from '../../src/domain/compare/world.js';
import { DEFAULT_POLICY, type Policy } from '../../src/domain/policy.js';
import { isoTime, SECOND } from '../../src/domain/time.js';
import type { Ground } from './whole-path-ground.js';
import { openServer, type Server } from './whole-path-server.js';
import { lineOf, type Step, stepsAfter } from './whole-path-steps.js';
import { Story } from './whole-path-story.js';
import { FILES, World } from './whole-path-world.js';
import { Writes } from './whole-path-writes.js';

/**
 * The whole way from an estate to what is told of it: passes as the product plans them, the store, replicas, comparisons
 * under their lock, and people. Nothing is simulated but the outside and the time, which the store is told as well.
 */
export class WholePath {
  readonly world = new World();
  readonly #story = new Story();
  readonly steps: Step[] = [];
  readonly failures: unknown[] = [];
  policy: Policy = DEFAULT_POLICY;
  /** The one that collects and compares first; others follow. */
  servers: Server[] = [];
  /** Followers that hear of nothing at the moment. */
  deaf = false;
  /** What was asked for and not yet handed to a collector. */
  #asks: readonly Ask[] = [];
  /** The follower collects some of the sources, at the same time as the leader the others. */
  shared = false;
  /** Told which sources were just looked at, before anything is said of it. */
  looked: (sources: readonly string[]) => void = () => {};
  /** Told what became of findings, as soon as it is written. */
  stepped: (steps: readonly Step[]) => void = () => {};
  readonly writes: Writes;
  readonly #ground: Ground;

  private constructor(ground: Ground) {
    this.#ground = ground;
    this.writes = new Writes(ground.sql, this.world);
  }

  static async begin(ground: Ground): Promise<WholePath> {
    await ground.clear();
    return new WholePath(ground);
  }

  get leader(): Server {
    const [first] = this.servers;
    if (first === undefined) throw new Error('no server is open');
    return first;
  }

  /** Opens one more process, on the store whose turn it is. */
  async open(name: string): Promise<Server> {
    if (this.servers.some((one) => one.name === name)) throw new Error(`${name} is open already`);
    const store = this.#ground.stores[name === 'one' ? 0 : 1];
    if (store === undefined) throw new Error('there are two stores');
    const server = await openServer({
      ...{ name, world: this.world, store: this.writes.of(store), collecting: this.writes.ofPasses(store) },
      policy: () => this.policy,
      asked: (asks) => {
        this.#asks = asks;
      },
      failed: (error) => this.failures.push(error),
    });
    this.servers.push(server);
    return server;
  }

  /** A process ends; whoever is left goes on. */
  async end(server: Server): Promise<void> {
    await server.keeper.stop();
    this.servers = this.servers.filter((one) => one !== server);
  }

  /** Everything is thrown away and opened again from the store. Nothing is compared before the files were looked at. */
  async restart(): Promise<void> {
    this.tell('all processes end, and start again');
    const names = this.servers.map(({ name }) => name);
    for (const server of [...this.servers]) await this.end(server);
    for (const name of names) await this.open(name);
  }

  /** The one that collects and compares ends; the follower takes over, and the first comes back as its follower. */
  async takeOver(): Promise<void> {
    const before = this.leader;
    this.tell(`${before.name} ends`);
    await this.end(before);
    if (this.servers.length === 0) await this.open(before.name === 'one' ? 'other' : 'one');
    // A follower knows that another process looked at the files.
    for (const name of FILES) this.leader.looks.saw(`declared:${name}`);
    this.deaf = false;
    await this.compared();
    await this.open(before.name);
    for (const name of FILES) this.servers.at(-1)?.looks.saw(`declared:${name}`);
  }

  /** Passes over sources, all by default, and what is said of them then. */
  async look(mode: RunMode = 'POLL', only?: readonly string[]): Promise<void> {
    await this.#pass(mode, only);
    // Followers learn a pass and what is said of it one after the other, or at once.
    if (this.world.turn % 2 === 0) await this.hear();
    await this.compared();
  }

  /** Passes over sources, without a word of what they show. */
  async collect(mode: RunMode = 'POLL', only?: readonly string[]): Promise<void> {
    await this.#pass(mode, only);
    await this.hear();
  }

  async #pass(mode: RunMode, only?: readonly string[]): Promise<void> {
    await this.#handOverAsks();
    const named = (source: string) => only === undefined || only.some((one) => source.endsWith(`:${one}`));
    const sources = this.leader.sources.filter(({ source }) => named(source));
    this.tell(
      `${this.leader.name} ${mode === 'POLL' ? 'polls' : 'reads all of'} ${only === undefined ? 'everything' : only.join(', ')}${this.#sight()}`,
    );
    const theirs = new Set(
      this.shared && !this.deaf ? sources.flatMap(({ source }, i) => (i % 2 > 0 ? source : [])) : [],
    );
    // Files are watched by the leader, who waits for a first look at them.
    const [mine, others] = [false, true].map((is) =>
      sources.filter(({ source, collector }) => (collector !== null && theirs.has(source)) === is),
    );
    const follower = this.servers[1];
    await Promise.all([
      this.#run(this.leader, follower === undefined ? sources : (mine ?? []), mode),
      ...(follower === undefined ? [] : [this.#run(follower, others ?? [], mode)]),
    ]);
    if (theirs.size > 0) await this.leader.replica.catchUp();
    this.looked(sources.map(({ source }) => source));
  }

  async #run({ runner, sources }: Server, some: readonly CollectedSource[], mode: RunMode): Promise<void> {
    for (const own of sources) {
      if (!some.some(({ source }) => source === own.source)) continue;
      await runner.start(own, mode, new AbortController().signal).done;
      this.world.estate.pass(5);
    }
  }

  /**
   * The leader's lock is taken from it as it is about to write, which it does not notice: the follower compares what the
   * leader has compared, and leads from then on.
   */
  async usurp(): Promise<void> {
    const [leader, follower] = this.servers;
    if (leader === undefined || follower === undefined || this.deaf) return;
    await this.collect();
    this.tell(`${leader.name} loses its lock to ${follower.name} as it writes`);
    for (const name of FILES) follower.looks.saw(`declared:${name}`);
    this.writes.meanwhile = async () => {
      await this.query(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = '${leader.name} locks'`,
      );
      await follower.keeper.compareNow();
    };
    await leader.keeper.compareNow();
    await leader.keeper.idle();
    if (this.writes.meanwhile === undefined) this.servers.reverse();
    this.writes.meanwhile = undefined;
    await this.compared();
  }

  /** A full pass, and what is asked for after it. */
  async settle(): Promise<void> {
    await this.look('ON_DEMAND');
    await this.answered();
  }

  /** Sources are asked what is asked of them, until nothing is. */
  async answered(): Promise<void> {
    for (let round = 0; round < 6 && this.#asks.length > 0; round++) {
      this.world.estate.pass(SECOND);
      const asked = new Set(this.#asks.map(({ source }) => source.slice(source.indexOf(':') + 1)));
      await this.look('POLL', [...asked]);
    }
  }

  asks(): readonly Ask[] {
    return this.#asks;
  }

  /** Time goes by, and what falls due is compared. */
  async wait(milliseconds: number): Promise<void> {
    this.world.estate.pass(milliseconds);
    this.tell(`${Math.round(milliseconds / SECOND)} s go by`);
    await this.compared();
  }

  /** Followers learn what was committed, unless they hear of nothing. */
  async hear(): Promise<void> {
    if (this.deaf || !this.writes.areNews) return;
    this.writes.areNews = false;
    for (const server of this.servers.slice(1)) await this.caughtUp(server);
  }

  async caughtUp({ replica }: Server): Promise<void> {
    await replica.catchUp();
    await replica.catchUpFindings();
  }

  /** Compares until somebody did and nothing is left to write. */
  async compared(): Promise<void> {
    const { keeper } = this.leader;
    for (let attempt = 0; attempt < 4; attempt++) {
      if (await keeper.compareNow()) break;
      await keeper.idle();
    }
    await keeper.idle();
    await this.hear();
    await this.readSteps();
  }

  /** What is so by what a process knows, told or not. */
  comparison({ replica, clock }: Server = this.leader): Comparison {
    return compare(replica.view(), this.policy, this.world.now + clock.skew);
  }

  /** The steps that were written since, into the story. */
  async readSteps(): Promise<void> {
    if (!this.writes.mayBeSteps) return;
    this.writes.mayBeSteps = false;
    const steps = await stepsAfter(this.#ground.sql, this.steps.at(-1)?.id ?? 0n);
    for (const step of steps) this.#story.tell(`         ${lineOf(step)}`);
    this.steps.push(...steps);
    this.stepped(steps);
  }

  tell(what: string): void {
    this.#story.tell(`${isoTime(this.world.now).slice(5, 19)} ${what}`);
  }

  /** Fails with the story, so that a shrunk counter-example reads as one. */
  holds(claim: string, actual: unknown, expected: unknown): void {
    this.#story.holds(claim, actual, expected);
  }

  query<T extends pg.QueryResultRow>(statement: string): Promise<readonly T[]> {
    return this.#ground.sql.query<T>(statement).then(({ rows }) => rows);
  }

  async close(): Promise<void> {
    for (const server of [...this.servers]) await this.end(server);
  }

  #sight(): string {
    const { dark } = this.world;
    return dark.size === 0 ? '' : `, without ${[...dark].join(', ')}`;
  }

  async #handOverAsks(): Promise<void> {
    const bySource = new Map<string, Ask[]>();
    for (const ask of this.#asks) bySource.set(ask.source, [...(bySource.get(ask.source) ?? []), ask]);
    if (bySource.size === 0) return;
    await this.leader.store.transaction(async (tx) => {
      for (const [source, asks] of bySource) await tx.asks.add(source, asks);
    });
  }
}
