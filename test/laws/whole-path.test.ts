import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { DomainError } from '../../src/domain/errors.js';
import { HOUR, MINUTE } from '../../src/domain/time.js';
import { caller } from '../testkit/principal.js';
import { WholePath } from '../testkit/whole-path.js';
import { type Day, lives, pauseOf } from '../testkit/whole-path-days.js';
import { LOSABLE } from '../testkit/whole-path-happenings.js';
import { begin, happens, light } from '../testkit/whole-path-happens.js';
import { checkQuiet, checkRestart, checkTold, checkValues } from '../testkit/whole-path-laws.js';
import { checkRecord, type Said } from '../testkit/whole-path-record.js';
import { Search } from '../testkit/whole-path-search.js';
import { Sight } from '../testkit/whole-path-sight.js';
import { checkTruth } from '../testkit/whole-path-truth.js';

/** Runs of the property; a longer search is `PROPERTY_RUNS=5000 npx vitest run test/laws`. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);
const TIMEOUT = 60_000 + 5_000 * RUNS;
const ANN = caller(['operator'], { id: 'key:ann' });

/** One life of an estate: the way it goes, and what is kept beside it to judge it by. */
class Life {
  readonly path: WholePath;
  readonly said: Said[] = [];
  severityStepped = false;

  constructor(path: WholePath) {
    this.path = path;
    new Sight(path);
  }

  async day(day: Day): Promise<void> {
    const { path } = this;
    const { happening, turn } = day;
    path.world.turn = turn;
    if (day.minutes > 0) await path.wait(pauseOf(day));
    const told = happens(path.world, happening);
    if (told !== undefined) path.tell(told);
    await this.#do(day);
    await this.#look(day);
    this.check();
  }

  check(): void {
    checkValues(this.path);
    this.path.holds('nothing failed', this.path.failures.map(String), []);
  }

  async #look({ look, turn }: Day): Promise<void> {
    const { path } = this;
    const { dark } = path.world;
    const clusters = ['main', 'lab'].filter((name) => dark.has(name));
    const kept = () => {
      const { guests, records } = path.leader.replica.view();
      const told = [...records['npm.proxy_host'].values(), ...records.neighbour.values()];
      return [
        ...[...guests.values()].filter(({ cluster }) => clusters.includes(cluster)),
        ...told.filter(({ service }) => path.world.isSilent(service)),
      ];
    };
    const before = kept();
    if (look === 'polls') await path.look('POLL');
    if (look === 'all') await path.look('ON_DEMAND');
    if (look === 'some')
      await path.look(
        'POLL',
        LOSABLE.filter((_, i) => (turn >> (i % 3)) % 2 === 0),
      );
    path.holds('law 5: what does not answer stays as it was', kept(), before);
  }

  /** What is done to the gateway, or by people. */
  async #do({ happening, turn }: Day): Promise<void> {
    const { path } = this;
    switch (happening.of) {
      case 'light':
        light(path);
        return path.tell('everything can be seen again');
      case 'restart':
        return checkRestart(path);
      case 'take-over':
        return path.takeOver();
      case 'usurp':
        return path.usurp();
      case 'share':
        path.shared = !path.shared;
        return path.tell(path.shared ? 'the follower collects as well' : 'one collects alone');
      case 'deaf':
        path.deaf = !path.deaf;
        return path.tell(path.deaf ? 'the follower hears of nothing' : 'the follower hears again');
      case 'again':
        return this.#again();
      case 'break':
        return this.#break(turn % 2 === 0);
      case 'ignore': {
        const rule = { kinds: null, address: null, vmids: null, name: null, tag: null, pool: null, until: null };
        const ignore = path.policy.ignore.length > 0 ? [] : [{ ...rule, cluster: 'main', reason: 'a lab' }];
        path.policy = { ...path.policy, ignore };
        return path.tell(ignore.length > 0 ? 'main is ignored' : 'nothing is ignored');
      }
      case 'severity':
        this.severityStepped = true;
        path.policy = { ...path.policy, severities: { NAME_DIFFERS: happening.severity } };
        return path.tell(`NAME_DIFFERS is ${happening.severity}`);
      case 'clock':
        path.leader.clock.skew = happening.seconds * 1_000;
        return path.tell(`the clock of ${path.leader.name} is wrong by ${happening.seconds} s`);
      case 'word':
        return this.#word(happening, turn);
      default:
        return;
    }
  }

  /** The same observation, once more: nothing is news of it. */
  async #again(): Promise<void> {
    const { path } = this;
    await path.collect('POLL');
    const versions = () => path.query('SELECT id, valid_to FROM versions ORDER BY id');
    const before = await versions();
    path.world.again = true;
    await path.collect('POLL', ['main', 'lab']);
    path.world.again = false;
    path.holds('law 2: what was observed twice is written once', await versions(), before);
    await path.compared();
  }

  /** The connection breaks while a comparison is written: the process goes on, or dies of it. */
  async #break(isFatal: boolean): Promise<void> {
    const { path } = this;
    await path.collect('POLL');
    path.writes.break = true;
    path.tell('the next commit breaks');
    await path.leader.keeper.compareNow();
    path.writes.break = false;
    path.failures.splice(0);
    await path.readSteps();
    if (isFatal) await checkRestart(path);
    else await path.compared();
  }

  async #word({ kind, pick, hours }: Extract<Day['happening'], { of: 'word' }>, turn: number): Promise<void> {
    const { path } = this;
    const living = [...path.leader.replica.view().findings.byId.values()]
      .filter(({ state }) => state !== 'IGNORED')
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const finding = living[pick % Math.max(1, living.length)];
    const server = path.servers[turn % path.servers.length] ?? path.leader;
    if (finding === undefined) return;
    const until = path.world.now + hours * HOUR;
    const steps = path.steps.length;
    path.tell(`ann on ${server.name}: ${kind} ${finding.id}${kind === 'suppress' ? ` for ${hours} h` : ''}`);
    // Some words race a comparison of what was just seen, which may be begun before them or after.
    const races = turn % 3 > 0;
    if (races) await path.collect('POLL');
    const reason = `because ${this.said.length}`;
    const racing = races && turn > 3 ? path.leader.keeper.compareNow() : undefined;
    const deciding =
      kind === 'suppress'
        ? server.decisions.suppress(ANN, { id: finding.id, reason, until })
        : server.decisions[kind](ANN, { id: finding.id, reason });
    if (races && racing === undefined) await path.leader.keeper.compareNow();
    await deciding.catch((error: unknown) => {
      if (!races || !(error instanceof DomainError) || error.code !== 'CONFLICT') throw error;
      path.tell('it is over already');
    });
    await racing;
    path.leader.keeper.outdated();
    await path.compared();
    const mine = path.steps.slice(steps).filter(({ actor }) => actor !== null);
    // Where it races, what it was about may be over, or open already.
    const isSaid = races ? mine.length > 0 : !(kind === 'reopen' && finding.state === 'OPEN');
    const told = mine.map(({ findingId }) => findingId);
    path.holds('law 4: a word is one step', told, isSaid ? [finding.id] : []);
    if (isSaid) this.said.push({ findingId: finding.id, kind, until });
  }
}

describe('the laws, from the estate through the store to what is told', () => {
  let search: Search;
  beforeAll(async () => {
    search = await Search.open();
    // Nothing happens but what the story says: no timer of the gateway goes off by itself.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await search.close();
  });

  it('hold over changes, outages, restarts, take-overs, replays, wrong clocks and people’s words', {
    timeout: TIMEOUT,
  }, async () => {
    await search.through(RUNS, lives, async (ground, [beginning, happenings]) => {
      const path = await WholePath.begin(ground);
      const life = new Life(path);
      try {
        begin(path.world, beginning);
        await path.open('one');
        await path.look('ON_DEMAND');
        await path.open('other');
        await path.answered();
        for (const day of happenings) await life.day(day);
        light(path);
        path.deaf = false;
        path.policy = { ...path.policy, ignore: [] };
        path.tell('everything can be seen again, and is looked at');
        await path.settle();
        await path.wait(HOUR + 50 * MINUTE);
        await path.settle();
        life.check();
        checkTold(path);
        checkTruth(path);
        await checkQuiet(path);
        await checkRestart(path);
        await checkRecord(path, life.said, life.severityStepped);
        for (const server of path.servers) await path.caughtUp(server);
        life.check();
      } finally {
        await path.close();
      }
    });
  });
});
