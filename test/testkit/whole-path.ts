import pg from 'pg';
import { DeclaredLooks } from '../../src/app/declared-looks.js';
import { Runner } from '../../src/collection/runner.js';
import type { CollectedSource, RunMode } from '../../src/collection/source.js';
import { type Comparison, compare } from '../../src/domain/compare/compare.js';
import type { Ask } from '../../src/domain/compare/world.js';
import { DEFAULT_POLICY, type Policy } from '../../src/domain/policy.js';
import { isoTime, SECOND } from '../../src/domain/time.js';
import { type Decisions, driftDecisions } from '../../src/drift/decisions.js';
import { type DriftKeeper, driftKeeper } from '../../src/drift/keeper.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { createTestDatabase } from './postgres.js';
import { aContract } from './view.js';
import { FILES, World } from './whole-path-world.js';

/** One row of a finding's history, as it lies in the database. */
export interface Step {
  readonly id: bigint;
  readonly findingId: string;
  readonly at: number;
  readonly type: string;
  readonly actor: string | null;
  readonly reason: string | null;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly cursor: bigint | null;
}

/** One database for many lives: two stores on it, for two processes, and a connection that looks at what they wrote. */
export class Ground {
  readonly stores: readonly Store[];
  readonly sql: pg.Client;
  readonly close: () => Promise<void>;
  readonly #tables: readonly string[];

  private constructor(stores: readonly Store[], sql: pg.Client, tables: readonly string[], close: () => Promise<void>) {
    this.stores = stores;
    this.sql = sql;
    this.#tables = tables;
    this.close = close;
  }

  static async open(): Promise<Ground> {
    const { url, drop } = await createTestDatabase();
    const stores = await Promise.all(['one', 'other'].map((applicationName) => openStore({ url, applicationName })));
    const sql = new pg.Client({ connectionString: url });
    await sql.connect();
    const { rows } = await sql.query<{ name: string }>(
      `SELECT quote_ident(tablename) AS name FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('migrations', 'write_head')`,
    );
    const close = async () => {
      await sql.end();
      for (const store of stores) await store.close();
      await drop();
    };
    return new Ground(
      stores,
      sql,
      rows.map(({ name }) => name),
      close,
    );
  }

  /** Of a few rows, deleting is a tenth of the price of truncating; foreign keys are looked at when all are gone. */
  async clear(): Promise<void> {
    const deletes = this.#tables.map((name) => `DELETE FROM ${name};`).join(' ');
    await this.sql.query(
      `BEGIN; SET LOCAL session_replication_role = replica; ${deletes}
       UPDATE write_head SET seq = 0, event_cursor = 0, pruned_cursor = 0, at = '2100-01-01'; COMMIT`,
    );
  }
}

/** One process: a replica, what collects, compares and decides there, and its clock. */
export interface Server {
  readonly name: string;
  readonly store: Store;
  readonly replica: Replica;
  readonly keeper: DriftKeeper;
  readonly decisions: Decisions;
  readonly runner: Runner;
  readonly sources: readonly CollectedSource[];
  readonly looks: DeclaredLooks;
  readonly clock: { skew: number };
}

/**
 * The whole way from an estate to what is told of it: passes as the product plans them, the store, replicas, comparisons
 * under their lock, and people. Nothing is simulated but the outside and the time, which the store is told as well.
 */
export class WholePath {
  readonly world = new World();
  readonly story: string[] = [];
  readonly steps: Step[] = [];
  readonly failures: unknown[] = [];
  policy: Policy = DEFAULT_POLICY;
  /** The one that collects and compares first; others follow. */
  servers: Server[] = [];
  /** Followers that hear of nothing at the moment. */
  deaf = false;
  /** What was asked for and not yet handed to a collector. */
  #asks: readonly Ask[] = [];
  /** The next commit of a comparison breaks off. */
  breaks = false;
  /** Told which sources were just looked at, before anything is said of it. */
  looked: (sources: readonly string[]) => void = () => {};
  /** Told what became of findings, as soon as it is written. */
  stepped: (steps: readonly Step[]) => void = () => {};
  readonly #ground: Ground;

  private constructor(ground: Ground) {
    this.#ground = ground;
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
  async open(name: string, behind = 0): Promise<Server> {
    const used = this.servers.map(({ name: one }) => one);
    const store = this.#clocked(this.#ground.stores[name === 'one' ? 0 : 1] as Store);
    if (used.includes(name)) throw new Error(`${name} is open already`);
    const clock = { skew: behind };
    const { world } = this;
    const replica = await openReplica(store, {
      ...{ contract: aContract(), precedence: DEFAULT_POLICY.precedence, declaredOff: [] },
      cluster: (cluster) => world.settingsOf(cluster),
    });
    const now = () => world.now + clock.skew;
    const looks = new DeclaredLooks(FILES);
    const catchUp = async () => {
      await replica.catchUp();
      await replica.catchUpFindings();
    };
    const keeper = driftKeeper({
      ...{ store, now, catchUp, view: () => replica.view(), policy: () => this.policy },
      mayCompare: () => looks.allSeen([]),
      learned: (changed, _comparison, at, seq) => {
        if (seq !== null) replica.learnFindings(changed, at, seq);
        replica.compared(at);
      },
      asked: (asks) => {
        this.#asks = asks;
      },
      measured: () => {},
      failed: (error) => this.failures.push(error),
    });
    const runner = new Runner({
      ...{ store, now, view: () => replica.view(), catchUp: () => replica.catchUp() },
      learnOwn: (batch, seq, follows) => replica.learnOwn(batch, seq, follows),
      measured: ({ source }) => void looks.saw(source),
    });
    const observer = { view: () => replica.view(), binding: () => replica.binding() };
    const sources = world.sources({
      ...observer,
      get skew() {
        return clock.skew;
      },
    });
    const decisions = driftDecisions({ store, view: () => replica.view(), catchUp });
    const server = { name, store, replica, keeper, decisions, runner, sources, looks, clock };
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
    await this.collect(mode, only);
    await this.compared();
  }

  /** Passes over sources, without a word of what they show. */
  async collect(mode: RunMode = 'POLL', only?: readonly string[]): Promise<void> {
    await this.#handOverAsks();
    const named = (source: string) => only === undefined || only.some((one) => source.endsWith(`:${one}`));
    const sources = this.leader.sources.filter(({ source }) => named(source));
    this.tell(
      `${this.leader.name} ${mode === 'POLL' ? 'polls' : 'reads all of'} ${only === undefined ? 'everything' : only.join(', ')}${this.#sight()}`,
    );
    for (const source of sources) {
      await this.leader.runner.start(source, mode, new AbortController().signal).done;
      this.world.estate.pass(5);
    }
    this.looked(sources.map(({ source }) => source));
    await this.hear();
  }

  /** Full passes until nothing is asked for any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      await this.look('ON_DEMAND');
      if (this.#asks.length === 0) return;
      this.world.estate.pass(SECOND);
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
    if (this.deaf) return;
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
    const { rows } = await this.#ground.sql.query<Record<string, string> & { at: Date }>(
      `SELECT id, finding_id, at, type, actor, reason, declared, observed, cursor
         FROM finding_history WHERE id > $1 ORDER BY id`,
      [String(this.steps.at(-1)?.id ?? 0n)],
    );
    const steps = rows.map(
      ({ id, finding_id: findingId = '', at, type = '', actor = null, reason = null, ...row }): Step => ({
        ...{ id: BigInt(id ?? 0), findingId, at: at.getTime(), type, actor, reason },
        ...{ declared: row.declared ?? null, observed: row.observed ?? null },
        cursor: row.cursor == null ? null : BigInt(row.cursor),
      }),
    );
    for (const { type, findingId, declared, observed, reason, cursor, actor } of steps)
      this.story.push(
        `         ${cursor === null ? 'silently ' : ''}${type} ${findingId} (declared ${declared}, observed ${observed})` +
          `${actor === null ? '' : ` by ${actor}`}${reason === null ? '' : `: ${reason}`}`,
      );
    this.steps.push(...steps);
    this.stepped(steps);
  }

  tell(what: string): void {
    this.story.push(`${isoTime(this.world.now).slice(5, 19)} ${what}`);
  }

  /** Fails with the story, so that a shrunk counter-example reads as one. */
  holds(claim: string, actual: unknown, expected: unknown): void {
    const [is, should] = [actual, expected].map((value): unknown =>
      JSON.parse(JSON.stringify(value, numbers) ?? 'null'),
    );
    const found = [...differences(is, should, '')];
    if (found.length > 0) throw new Error([claim, ...found.slice(0, 12), ...this.story].join('\n'));
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

  /**
   * The store with the model's time. It gives no transaction a time before that of an earlier one, so telling it of a
   * later one sets its clock.
   */
  #clocked(store: Store): Store {
    const tick = () =>
      this.#ground.sql.query('UPDATE write_head SET at = $1 WHERE at < $1', [new Date(this.world.now)]);
    return {
      ...store,
      now: async () => {
        await tick();
        return store.now();
      },
      transaction: async (work) => {
        await tick();
        return store.transaction(async (tx) => {
          const result = await work(tx);
          if (this.breaks) {
            this.breaks = false;
            throw new Error('the connection broke before the commit');
          }
          return result;
        });
      },
    };
  }
}

/** Where two values part, each place on a line. */
function* differences(is: unknown, should: unknown, at: string): Generator<string> {
  if (isBranch(is) && isBranch(should)) {
    for (const key of new Set([...Object.keys(is), ...Object.keys(should)]))
      yield* differences(is[key], should[key], `${at}.${key}`);
  } else if (JSON.stringify(is) !== JSON.stringify(should))
    yield `  ${at} is ${JSON.stringify(is)}, and should be ${JSON.stringify(should)}`;
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function numbers(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map || value instanceof Set ? [...value] : value;
}
