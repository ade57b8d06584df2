import { compare } from '../../src/domain/compare/compare.js';
import { DAY, MINUTE } from '../../src/domain/time.js';
import type { InventoryView } from '../../src/domain/view.js';
import type { WholePath } from './whole-path.js';
import type { Server } from './whole-path-server.js';
import { FILES } from './whole-path-world.js';

/** A view without the rows that ended more than a day ago: a start does not read them, so nothing may depend on them. */
function remembered(view: InventoryView, now: number): InventoryView {
  const young = <T extends { readonly removed: InventoryView['declarations'][number]['removed'] }>(one: T): T => ({
    ...one,
    removed: one.removed
      .filter(({ goneAt }) => goneAt > now - DAY + MINUTE)
      .toSorted((a, b) => (a.row.key < b.row.key ? -1 : 1)),
  });
  const declared = new Map([...view.declared].map(([source, one]) => [source, young(one)]));
  return { ...view, declared, declarations: view.declarations.map(young) };
}

/** What a view says that must not depend on who lived how long. */
export function knowledge(view: InventoryView, now: number) {
  const { number: _, seq: __, findings, ...rest } = remembered(view, now);
  return { ...rest, findings: [...findings.byId].sort(([one], [other]) => (one < other ? -1 : 1)) };
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

/** A replica opened afresh equals the one that lived through it. */
export async function checkRestart(path: WholePath): Promise<void> {
  const before = path.leader;
  await path.caughtUp(before);
  const lived = knowledge(before.replica.view(), path.world.now);
  // By the same clock, were it wrong.
  const { now } = path.world;
  const so = () => compare(remembered(path.leader.replica.view(), now), path.policy, now + before.clock.skew).so;
  const livedSo = so();
  await path.restart();
  equal(path, path.leader, lived);
  path.holds('law 5: after a restart the same is so', so(), livedSo);
  await path.look('POLL', FILES);
}

function equal(path: WholePath, { replica }: Server, lived: ReturnType<typeof knowledge>): void {
  const fresh = knowledge(replica.view(), path.world.now);
  for (const part of Object.keys(lived) as (keyof typeof lived)[])
    path.holds(`law 5: a restart keeps ${part}`, fresh[part], lived[part]);
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

/** Law 2: looked at again and again, nothing is written but when it was looked at. */
export async function checkQuiet(path: WholePath): Promise<void> {
  const written = async () =>
    path.query(
      `SELECT (SELECT count(*)::int FROM versions) AS versions, (SELECT count(*)::int FROM finding_history) AS steps,
              (SELECT max(changed_seq)::int FROM findings) AS findings,
              (SELECT count(*)::int FROM finding_versions) AS finding_versions,
              (SELECT count(*)::int FROM events WHERE topic LIKE 'drift.%' OR topic LIKE 'inventory.%') AS events`,
    );
  // What the calendar brings is news, whoever looks.
  const { byId } = path.leader.replica.view().findings;
  for (const due of [path.comparison().due, ...[...byId.values()].map(({ suppressedUntil }) => suppressedUntil)])
    if (due !== null && due > path.world.now && due - path.world.now < 5 * MINUTE)
      await path.wait(due - path.world.now);
  const before = await written();
  await path.look('POLL');
  await path.wait(60_000);
  await path.look('ON_DEMAND');
  path.holds('law 2: seen again is no news', await written(), before);
  path.holds('law 2: nothing is asked for for ever', path.asks(), []);
}
