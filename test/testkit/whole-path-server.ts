import { DeclaredLooks } from '../../src/app/declared-looks.js';
import { Runner } from '../../src/collection/runner.js';
import type { CollectedSource } from '../../src/collection/source.js';
import type { Ask } from '../../src/domain/compare/world.js';
import { DEFAULT_POLICY, type Policy } from '../../src/domain/policy.js';
import { type Decisions, driftDecisions } from '../../src/drift/decisions.js';
import { type DriftKeeper, driftKeeper } from '../../src/drift/keeper.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import type { Store } from '../../src/store/store.js';
import { aContract } from './view.js';
import { FILES, type World } from './whole-path-world.js';

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

interface Needs {
  readonly name: string;
  /** What compares and decides writes at the model's time. */
  readonly store: Store;
  /** What collects brings its own times with it. */
  readonly collecting: Store;
  readonly world: World;
  policy(): Policy;
  asked(asks: readonly Ask[]): void;
  failed(error: unknown): void;
}

/** A process as the gateway puts it together, but for sockets, schedules and what it tells to whom. */
export async function openServer({ name, store, collecting, world, policy, asked, failed }: Needs): Promise<Server> {
  const clock = { skew: 0 };
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
    ...{ store, now, catchUp, policy, asked, failed, view: () => replica.view() },
    mayCompare: () => looks.allSeen([]),
    learned: (changed, _comparison, at, seq) => {
      if (seq !== null) replica.learnFindings(changed, at, seq);
      replica.compared(at);
    },
    measured: () => {},
  });
  const runner = new Runner({
    ...{ store: collecting, now, view: () => replica.view(), catchUp: () => replica.catchUp() },
    learnOwn: (batch, seq, follows) => replica.learnOwn(batch, seq, follows),
    measured: ({ source }) => void looks.saw(source),
  });
  const sources = world.sources({
    view: () => replica.view(),
    binding: () => replica.binding(),
    get skew() {
      return clock.skew;
    },
  });
  const decisions = driftDecisions({ store, view: () => replica.view(), catchUp });
  return { name, store, replica, keeper, decisions, runner, sources, looks, clock };
}
