import fc from 'fast-check';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { HOUR, SECOND } from '../../src/domain/time.js';
import { DCIM } from '../testkit/domain-netbox.js';
import { WholePath } from '../testkit/whole-path.js';
import { type Beginning, beginnings } from '../testkit/whole-path-days.js';
import { Ground } from '../testkit/whole-path-ground.js';
import { VMIDS } from '../testkit/whole-path-happenings.js';
import { begin } from '../testkit/whole-path-happens.js';
import { checkRecord } from '../testkit/whole-path-record.js';
import { Search } from '../testkit/whole-path-search.js';
import type { Step } from '../testkit/whole-path-steps.js';
import { FILES } from '../testkit/whole-path-world.js';

/** Runs of each property; a longer search is `PROPERTY_RUNS=5000 npx vitest run test/laws`. */
const RUNS = Math.ceil(Number(process.env.PROPERTY_RUNS ?? 100) / 5);
const TIMEOUT = 60_000 + 10_000 * RUNS;

/** An estate that was looked at long enough for everything in it to be settled. */
async function known(ground: Ground, beginning: Beginning): Promise<WholePath> {
  const path = await WholePath.begin(ground);
  begin(path.world, beginning);
  await path.open('one');
  await path.settle();
  await later(path);
  return path;
}

async function later(path: WholePath, settle = () => path.settle()): Promise<void> {
  for (let hour = 0; hour < 2; hour++) {
    await path.wait(HOUR);
    await settle();
  }
}

/** Polls that come to know everything, a part of what did not change at a time. */
async function poll(path: WholePath, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    path.world.estate.pass(10 * SECOND);
    await path.look('POLL');
  }
}

/** What is asked when its turn comes. */
const ASKED = ['main', DCIM, 'main', 'lab'] as const;

interface Change {
  readonly beginning: Beginning;
  readonly next: Beginning;
  /** In which order clusters and services are asked, and where a pass begins to read. */
  readonly order: readonly number[];
  readonly changesHands: boolean;
}

/** Anything becomes anything else; guests stay, and keep their kind, or they would be other guests. */
const anything = fc.tuple(beginnings, beginnings).map(([beginning, other]) => {
  const guests = other.guests.map((one, i) => {
    const { kind, there } = beginning.guests[i] ?? one;
    return { ...one, kind, there: there || one.there };
  });
  return { beginning, next: { ...other, guests } };
});

/** Addresses pass from guest to guest, rows with them: whoever has what is a neighbour's is asked first, or last. */
const exchanged = fc
  .tuple(
    beginnings,
    fc.shuffledSubarray([2, 3, 4, 5], { minLength: 4 }),
    fc.shuffledSubarray([2, 3, 4, 5], { minLength: 4 }),
  )
  .map(([{ guests, lines }, before, after]) => {
    const having = (ends: readonly number[]): Beginning => ({
      ...{ lines, around: null },
      guests: guests.map((one, i) => {
        const address = ends[i] ?? 2;
        const row = one.row === null ? null : { ...one.row, address };
        return { ...one, there: true, address, row, netbox: one.netbox === null ? null : address };
      }),
    });
    return { beginning: having(before), next: having(after) };
  });

/** Guests are made, and written down in NetBox alone, or go from both. */
const provisioned = fc.tuple(beginnings, fc.subarray([...VMIDS])).map(([{ guests, lines }, swapped]) => {
  const beginning: Beginning = {
    ...{ lines, around: null },
    guests: guests.map((one) => ({ ...one, row: null, netbox: one.there ? one.address : null })),
  };
  const turned = (one: Beginning['guests'][number]) => {
    const there = swapped.includes(one.vmid as (typeof VMIDS)[number]) ? !one.there : one.there;
    return { ...one, there, netbox: there ? one.address : null };
  };
  return { beginning, next: { ...beginning, guests: beginning.guests.map(turned) } };
});

const changes: fc.Arbitrary<Change> = fc
  .tuple(
    fc.oneof({ weight: 2, arbitrary: anything }, exchanged, provisioned),
    fc.array(fc.nat({ max: 15 }), { minLength: 2, maxLength: 8 }),
    fc.boolean(),
  )
  .map(([change, order, changesHands]) => ({ ...change, order, changesHands }));

/** A declared address whose guest was read is unused by law, until a stranger is found to carry it. */
function takenBack(steps: readonly Step[]): readonly Step[] {
  const told = new Set<string>();
  return steps.filter(({ type, findingId }) => {
    if (findingId.startsWith('DECLARED_ADDRESS_UNUSED')) return false;
    if (type === 'OPENED' || type === 'REOPENED') told.add(findingId);
    return type === 'RESOLVED' && told.has(findingId);
  });
}

/** What is so and told by nothing else, and whether it lives. */
function telling(path: WholePath): readonly string[] {
  const { byId } = path.leader.replica.view().findings;
  return [...path.comparison().so.values()]
    .filter(({ swallowedBy }) => swallowedBy === undefined)
    .map(
      ({ id, declared, observed, severity }) => `${id} ${declared} | ${observed} | ${severity} ${byId.get(id)?.state}`,
    )
    .sort();
}

describe('from the estate through the store to what is told', () => {
  let search: Search;
  beforeAll(async () => {
    search = await Search.open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await search.close();
  });

  it('law 7: the order of reading does not matter, nor who reads', { timeout: TIMEOUT }, async () => {
    await search.through(RUNS, changes, async (ground, { beginning, next, order, changesHands }) => {
      const ends: (readonly string[])[] = [];
      for (const turns of [[], order]) {
        const path = await known(ground, beginning);
        try {
          const before = path.steps.length;
          begin(path.world, next);
          path.world.slice = 1;
          // A file that is watched is read as it changes; all else is when its turn comes.
          if (turns === order) await path.look('POLL', FILES);
          for (const turn of turns) {
            path.world.turn = turn;
            path.world.estate.pass(10 * SECOND);
            await path.look('POLL', [ASKED[turn % ASKED.length] ?? 'main']);
            if (changesHands) await path.takeOver();
          }
          await (turns === order ? poll(path, 12) : path.settle());
          path.world.slice = 4;
          await later(path, () => (turns === order ? poll(path, 4) : path.settle()));
          ends.push(telling(path));
          if (turns !== order) continue;
          path.holds('law 7: slices end as the whole does', ends[1], ends[0]);
          path.holds('law 7: nothing is told on the way that is taken back', takenBack(path.steps.slice(before)), []);
          await checkRecord(path, [], false);
        } finally {
          await path.close();
        }
      }
    });
  });

  it('law 6: the dead keep their place, also over a restart', { timeout: TIMEOUT }, async () => {
    const some = fc.subarray([...VMIDS]);
    const nights = fc.tuple(beginnings, some, some, fc.boolean());
    await search.through(RUNS, nights, async (ground, [beginning, stopped, templates, dark]) => {
      const quiet = beginning.guests.map((one) => ({ ...one, row: one.row && { ...one.row, status: null } }));
      const path = await WholePath.begin(ground);
      const { estate } = path.world;
      const there = (vmids: readonly number[]) =>
        [...estate.guests.values()].filter(({ vmid }) => vmids.includes(vmid));
      try {
        begin(path.world, { ...beginning, guests: quiet });
        for (const { vmid, cluster } of there(templates))
          estate.guest({ vmid, cluster, template: true, power: 'STOPPED' });
        await path.open('one');
        await path.look('ON_DEMAND');
        await path.settle();
        await later(path);
        const carried = () =>
          [...path.leader.replica.view().guests.values()]
            .map(({ id, carried: own }) => [id, own.map(({ address }) => address)])
            .sort();
        const before = carried();
        const steps = path.steps.length;
        for (const { vmid, cluster } of there(stopped)) estate.stop(vmid, cluster);
        if (dark) estate.node('pve1', { online: false });
        path.tell(`${stopped.join(', ')} stop${dark ? ', and pve1 goes down' : ''}`);
        await path.look('POLL');
        await path.restart();
        await later(path);
        path.holds('law 6: the stopped carry what they carried', carried(), before);
        path.holds(
          'law 6: nothing opens because guests rest',
          path.steps.slice(steps).filter(({ type }) => type === 'OPENED' || type === 'REOPENED'),
          [],
        );
        const { guests, findings } = path.leader.replica.view();
        for (const { id, row, status } of guests.values()) {
          if (dark && row.node === 'pve1') path.holds(`law 6: ${id} is out of sight`, status, 'UNKNOWN');
          const owned = [...findings.byId.values()].filter(
            ({ identity: { kind }, guests: own }) =>
              kind.includes('ADDRESS') && kind !== 'DECLARED_ADDRESS_UNUSED' && own.includes(id),
          );
          if (row.template) path.holds(`law 6: the template ${id} owns no address`, owned, []);
        }
      } finally {
        await path.close();
      }
    });
  });
});
