import { setTimeout as sleep } from 'node:timers/promises';
import { type Stage, TABLE, until } from './stage.js';

/** One step of the walk: what is done, what must come of it, and what came. */
export interface Walked {
  readonly name: string;
  readonly expected: string;
  readonly happened: string;
  readonly isAsExpected: boolean;
}

interface Step {
  readonly name: string;
  /** The events that must come, `TYPE id` each; none: nothing may be said. */
  expected(stage: Stage): readonly string[];
  act(stage: Stage): Promise<void>;
  /** Looked at besides; text says what is not as it should be. */
  also?(stage: Stage): Promise<string | undefined>;
}

/** Several polls of the clusters, and at least one look of every service. */
const QUIET = 5_000;
const ROGUE = 9_900;

/** The guest that the walk plays with: chosen once. */
let played: ReturnType<Stage['quietGuest']> | undefined;
function guestOf(stage: Stage) {
  played ??= stage.quietGuest();
  return played;
}
const nameId = (stage: Stage) => `NAME_DIFFERS:main/${guestOf(stage).vmid}@1:name`;
const rogueId = (incarnation: number) => `GUEST_NOT_DECLARED:main/${ROGUE}@${incarnation}:`;
const estate = (stage: Stage) => stage.simulator.estate('main');
const services = ({ simulator }: Stage) => [...simulator.npm, ...simulator.unifi, ...simulator.netbox];

async function isState(stage: Stage, id: string, state: string): Promise<string | undefined> {
  const found = await stage.finding(id);
  return found?.state === state ? undefined : `${id} is ${found?.state ?? 'not there'}, not ${state}`;
}

let table = '';

export const STEPS: readonly Step[] = [
  {
    name: 'clean',
    expected: (stage) => stage.planted().map((id) => `OPENED ${id}`),
    act: async (stage) => {
      await until(async () => (await stage.findings()).length >= stage.planted().length, 60_000);
    },
    also: async (stage) => {
      const [found, planted] = [await stage.findings(), stage.planted()];
      const more = found.filter((id) => !planted.includes(id));
      const less = planted.filter((id) => !found.includes(id));
      return more.length + less.length === 0 ? undefined : `besides: ${more.join(' ')}; missing: ${less.join(' ')}`;
    },
  },
  {
    name: 'changed',
    expected: (stage) => [`OPENED ${nameId(stage)}`],
    act: async (stage) => estate(stage).rename(guestOf(stage).vmid, 'renamed-once'),
  },
  {
    name: 'seen again',
    expected: () => [],
    act: async (stage) => {
      await stage.graphql('mutation { collectionRun(input: { waitSeconds: 30 }) { userErrors { message } } }');
    },
  },
  {
    name: 'acknowledged',
    expected: (stage) => [`ACKNOWLEDGED ${nameId(stage)}`],
    act: (stage) => stage.decide('driftFindingAcknowledge', { id: nameId(stage), reason: 'we know' }),
  },
  {
    name: 'restarted',
    expected: () => [],
    act: async (stage) => {
      await stage.stopGateway();
      await stage.startGateway();
    },
    also: (stage) => isState(stage, nameId(stage), 'ACKNOWLEDGED'),
  },
  {
    name: 'changed to a third value',
    expected: (stage) => [`REOPENED ${nameId(stage)}`],
    act: async (stage) => estate(stage).rename(guestOf(stage).vmid, 'renamed-twice'),
  },
  {
    name: 'reverted',
    expected: (stage) => [`RESOLVED ${nameId(stage)}`],
    act: async (stage) => estate(stage).rename(guestOf(stage).vmid, guestOf(stage).name ?? ''),
  },
  {
    name: 'rogue guest',
    expected: () => [`OPENED ${rogueId(1)}`, `ACKNOWLEDGED ${rogueId(1)}`],
    act: async (stage) => {
      estate(stage).create({ vmid: ROGUE, name: 'rogue', node: 'pve01', power: 'running' });
      await until(() => stage.events.some(({ finding }) => finding.id === rogueId(1)), 40_000);
      await stage.decide('driftFindingAcknowledge', { id: rogueId(1), reason: 'being looked into' });
    },
  },
  {
    name: 'VMID used again',
    // What was decided about the one before is not passed on.
    expected: () => [`RESOLVED ${rogueId(1)}`, `OPENED ${rogueId(2)}`],
    act: async (stage) => {
      estate(stage).recreate(ROGUE);
      await until(() => stage.events.some(({ finding }) => finding.id === rogueId(2)), 40_000);
    },
    also: (stage) => isState(stage, rogueId(2), 'OPEN'),
  },
  {
    name: 'rogue guest gone',
    expected: () => [`RESOLVED ${rogueId(2)}`],
    act: async (stage) => estate(stage).destroy(ROGUE),
  },
  {
    name: 'one node down',
    expected: () => [],
    act: async (stage) => {
      stage.simulator.faults('main').set({ nodesDown: ['pve02'] });
      await sleep(QUIET);
      stage.simulator.faults('main').set({ nodesDown: [] });
    },
  },
  {
    name: 'token loses its right to half the guests',
    expected: () => [],
    act: async (stage) => {
      const vmids = estate(stage)
        .guests()
        .map(({ vmid }) => vmid);
      stage.simulator.faults('main').set({ hidden: vmids.filter((_, i) => i % 2 === 0) });
      await sleep(QUIET);
      stage.simulator.faults('main').set({ hidden: [] });
    },
  },
  {
    name: 'declared file emptied',
    expected: () => [],
    act: async (stage) => {
      table = await stage.text(TABLE);
      await stage.write(TABLE, '');
      await sleep(QUIET);
      await stage.write(TABLE, table);
    },
  },
  {
    name: 'NetBox down',
    expected: () => [],
    act: async (stage) => {
      for (const { faults } of stage.simulator.netbox) faults.set({ status500: true });
      await sleep(QUIET);
      for (const { faults } of stage.simulator.netbox) faults.clear();
    },
  },
  {
    name: 'a backup night',
    expected: () => [],
    act: async (stage) => {
      estate(stage).backupNight();
      await sleep(QUIET);
      estate(stage).backupMorning();
    },
  },
  {
    name: 'a patch day with HA moves',
    expected: () => [],
    act: patchDay,
  },
  {
    name: 'all down and restarted',
    expected: () => [],
    act: async (stage) => {
      stage.simulator.faults('main').set({ down: true });
      for (const { faults } of services(stage)) faults.set({ down: true });
      await sleep(QUIET);
      await stage.stopGateway();
      await stage.startGateway();
    },
    also: async (stage) => {
      const { guests } = await stage.graphql<{ guests: { totalCount: number } }>('{ guests { totalCount } }');
      const known = estate(stage).guests().length;
      return guests.totalCount === known ? undefined : `${guests.totalCount} guests are known, not ${known}`;
    },
  },
  {
    name: 'all back',
    expected: () => [],
    act: async (stage) => {
      stage.simulator.faults('main').clear();
      for (const { faults } of services(stage)) faults.clear();
      await sleep(2 * QUIET);
    },
    also: async (stage) => {
      const found = await stage.findings();
      return found.join() === stage.planted().join() ? undefined : 'the findings are not those of the beginning';
    },
  },
];

/** Node by node: its HA guests move away, it is in maintenance, reboots and is back, and they move home. */
async function patchDay(stage: Stage): Promise<void> {
  const cluster = estate(stage);
  const nodes = cluster.nodes().map(({ name }) => name);
  for (const [i, node] of nodes.entries()) {
    const there = cluster.guests().filter((guest) => guest.node === node && guest.ha !== null);
    const shelter = nodes[(i + 1) % nodes.length] ?? node;
    for (const { vmid } of there) cluster.migrate(vmid, shelter);
    cluster.setNode(node, 'maintenance');
    await sleep(2_000);
    cluster.setNode(node, 'offline');
    await sleep(2_000);
    cluster.setNode(node, 'online');
    for (const { vmid } of there) cluster.migrate(vmid, node);
    await sleep(1_000);
  }
}

/** Walks one step and says what came of it. */
export async function walk(stage: Stage, { name, expected, act, also }: Step): Promise<Walked> {
  const from = name === 'clean' ? 0 : stage.events.length;
  await act(stage);
  const wanted = [...expected(stage)];
  await until(() => stage.events.length - from >= wanted.length, 40_000);
  // Nothing more may come, either.
  await sleep(QUIET);
  const came = stage.events.slice(from).map(({ type, finding }) => `${type} ${finding.id}`);
  const besides = await also?.(stage);
  return {
    name,
    expected: wanted.length === 0 ? 'no event' : told(wanted),
    happened: [came.length === 0 ? 'no event' : told(came), ...(besides === undefined ? [] : [besides])].join('; '),
    // What one comparison finds comes in no order that means anything.
    isAsExpected: came.toSorted().join() === wanted.toSorted().join() && besides === undefined,
  };
}

function told(events: readonly string[]): string {
  if (events.length <= 4) return events.join(', ');
  const kinds = new Map<string, number>();
  for (const event of events) {
    const kind = event.slice(0, event.indexOf(':'));
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const counts = [...kinds].map(([kind, count]) => `${count} ${kind}`).sort();
  return `${events.length} events, ${new Set(events).size} of them different (${counts.join(', ')})`;
}
