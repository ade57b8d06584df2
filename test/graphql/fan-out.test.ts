import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Principal } from '../../src/domain/access.js';
import { DomainError } from '../../src/domain/errors.js';
import { cursorText } from '../../src/feed/cursor.js';
import { feed } from '../../src/feed/feed.js';
import type { Verbs } from '../../src/graphql/context.js';
import { driftOpened, EventLog } from '../testkit/event-log.js';
import { faceWith, served } from '../testkit/graphql.js';
import { emptyStore, inventoryOver } from '../testkit/inventory.js';
import { caller } from '../testkit/principal.js';
import { aFinding, aView } from '../testkit/view.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const CALLERS: Readonly<Record<string, Principal>> = {
  ann: caller(['viewer'], { id: 'key:ann', name: 'ann', person: 'ann', tenants: ['default'] }),
  bob: caller(['viewer'], { id: 'key:bob', name: 'bob', person: 'bob', tenants: ['default'] }),
  clerk: caller(['operator'], { id: 'key:clerk', name: 'clerk', person: 'clerk', tenants: ['default'] }),
  eve: caller(['viewer'], { id: 'key:eve', name: 'eve', person: 'eve', tenants: ['elsewhere'] }),
  brief: caller(['viewer'], { id: 'key:brief', tenants: ['default'], expiresAt: 1 }),
};

async function gateway(
  more: { feed?: object; inventory?: Partial<Verbs['inventory']>; sharing?: boolean; watchEvery?: number } = {},
) {
  const log = new EventLog();
  const finding = aFinding({
    identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/7@1' }, field: 'name' },
  });
  const inventory = inventoryOver(aView({ guests: [{ vmid: 7 }], findings: [finding] }), { store: emptyStore() });
  const looks: string[][] = [];
  let now = 0;
  const events = feed({
    store: { events: log.events },
    onEvents: log.onEvents,
    learned: async () => {},
    stillValid: ({ expiresAt }) => expiresAt === null || expiresAt > now,
    matchesGuest: inventory.matchesGuest,
    onTrouble: () => {},
    ...more.feed,
  });
  const face = await faceWith(
    {
      inventory: {
        ...inventory,
        driftFindingsById(principal, ids) {
          looks.push([...ids]);
          return inventory.driftFindingsById(principal, ids);
        },
        ...more.inventory,
      },
      feed: events,
    },
    {
      authenticate: async (params) => CALLERS[(params as { 'x-api-key'?: string })['x-api-key'] ?? ''],
      ...(more.sharing !== undefined && { sharing: more.sharing }),
      ...(more.watchEvery !== undefined && { watchEvery: more.watchEvery }),
    },
  );
  const { wsUrl, close } = await served(face);
  closing.push(() => events.stop(), close);
  return { log, looks, wsUrl, expireAll: () => (now = 2) };
}

interface Subscriber {
  readonly socket: WebSocket;
  readonly payloads: unknown[];
  readonly closed: Promise<readonly [number, string]>;
}

/** A subscriber as it is on the wire. */
async function subscriber(
  url: string,
  who: string,
  query: string,
  variables: object = {},
  take: (payload: unknown) => unknown = (payload) => payload,
): Promise<Subscriber> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  closing.push(() => socket.terminate());
  const payloads: unknown[] = [];
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)] as const);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { 'x-api-key': who } }));
  await once(socket, 'message');
  socket.on('message', (bytes) => payloads.push(take(JSON.parse(String(bytes)).payload)));
  socket.send(JSON.stringify({ id: who, type: 'subscribe', payload: { query, variables } }));
  return { socket, payloads, closed };
}

const DRIFT =
  'subscription ($after: String, $filter: DriftFindingFilter) { driftEvents(after: $after, filter: $filter) { cursor finding { id guest { vmid } } } }';
const told = (cursor: bigint) => ({
  data: {
    driftEvents: { cursor: cursorText(cursor), finding: { id: 'NAME_DIFFERS:main/7@1:name', guest: { vmid: 7 } } },
  },
});

describe('subscribers that ask the same with the same rights', () => {
  it('share one execution an event, whoever they are, wherever they began and whatever they filter by', async () => {
    const { log, looks, wsUrl } = await gateway();
    const start = log.append(driftOpened(1));
    const all = await Promise.all([
      subscriber(wsUrl, 'ann', DRIFT, { after: cursorText(start) }),
      subscriber(wsUrl, 'ann', DRIFT, { after: cursorText(start), filter: { kinds: ['NAME_DIFFERS'] } }),
      subscriber(wsUrl, 'bob', DRIFT, { after: cursorText(start) }),
      subscriber(wsUrl, 'eve', DRIFT, { after: cursorText(start) }),
    ]);
    const first = log.append(driftOpened(7));
    await expect.poll(() => all.map(({ payloads }) => payloads)).toEqual([...Array(3).fill([told(first)]), []]);
    looks.length = 0;
    const second = log.append(driftOpened(7));
    await expect
      .poll(() => all.map(({ payloads }) => payloads))
      .toEqual([...Array(3).fill([told(first), told(second)]), []]);
    expect(looks).toEqual([['NAME_DIFFERS:main/7@1:name']]);
  });

  it('share nothing where their documents, variables or rights differ', async () => {
    const { log, looks, wsUrl } = await gateway();
    const start = log.append(driftOpened(1));
    const after = cursorText(start);
    const withGuest =
      'subscription ($after: String, $all: Boolean!) { driftEvents(after: $after) { finding { id guest @include(if: $all) { vmid } } } }';
    const all = await Promise.all([
      subscriber(wsUrl, 'ann', withGuest, { after, all: true }),
      subscriber(wsUrl, 'ann', withGuest, { after, all: false }),
      subscriber(wsUrl, 'ann', 'subscription ($after: String) { driftEvents(after: $after) { finding { state } } }', {
        after,
      }),
      subscriber(wsUrl, 'clerk', withGuest, { after, all: true }),
    ]);
    const heard = (n: number) =>
      expect.poll(() => all.map(({ payloads }) => payloads.length)).toEqual(all.map(() => n));
    log.append(driftOpened(7));
    await heard(1);
    looks.length = 0;
    log.append(driftOpened(7));
    await heard(2);
    const id = 'NAME_DIFFERS:main/7@1:name';
    expect(all.map(({ payloads }) => payloads[1])).toEqual([
      { data: { driftEvents: { finding: { id, guest: { vmid: 7 } } } } },
      { data: { driftEvents: { finding: { id } } } },
      { data: { driftEvents: { finding: { state: 'OPEN' } } } },
      { data: { driftEvents: { finding: { id, guest: { vmid: 7 } } } } },
    ]);
    expect(looks.length).toBe(4);
  });

  it('are each told their own where the answer depends on who asks', async () => {
    const { log, wsUrl } = await gateway({
      inventory: {
        driftFindingsById: async (principal) => {
          throw new DomainError('FORBIDDEN', `not for ${principal.name}`);
        },
      },
    });
    const after = cursorText(log.append(driftOpened(1)));
    const all = await Promise.all(['ann', 'bob'].map((who) => subscriber(wsUrl, who, DRIFT, { after })));
    log.append(driftOpened(7));
    const messages = () =>
      all.map(({ payloads }) =>
        (payloads as { errors: { message: string }[] }[]).map(({ errors }) => errors[0]?.message),
      );
    await expect.poll(messages).toEqual([['not for ann'], ['not for bob']]);
  });

  it('get the same without sharing', async () => {
    const { log, looks, wsUrl } = await gateway({ sharing: false });
    const start = log.append(driftOpened(1));
    const after = cursorText(start);
    const all = await Promise.all(['ann', 'bob', 'eve'].map((who) => subscriber(wsUrl, who, DRIFT, { after })));
    const cursor = log.append(driftOpened(7));
    await expect.poll(() => all.map(({ payloads }) => payloads)).toEqual([[told(cursor)], [told(cursor)], []]);
    expect(looks.length).toBe(2);
  });
});

describe('a subscriber', () => {
  it('whose key expires under way is told nothing more, and its socket ends with 4403', async () => {
    const { log, wsUrl, expireAll } = await gateway();
    const after = cursorText(log.append(driftOpened(1)));
    const [ann, brief] = await Promise.all(['ann', 'brief'].map((who) => subscriber(wsUrl, who, DRIFT, { after })));
    const first = log.append(driftOpened(7));
    await expect.poll(() => [ann?.payloads, brief?.payloads]).toEqual([[told(first)], [told(first)]]);
    expireAll();
    const second = log.append(driftOpened(7));
    await expect.poll(() => ann?.payloads).toEqual([told(first), told(second)]);
    expect(await brief?.closed).toEqual([4403, 'Forbidden']);
    expect(brief?.payloads).toEqual([told(first)]);
  });

  it('that does not read is closed with 4413 and the cursor to resume with, and the others are told all meanwhile', async () => {
    const { log, wsUrl } = await gateway({ feed: { patience: 100 }, watchEvery: 1_500 });
    const start = log.append(driftOpened(1));
    const query =
      'subscription ($after: String, $filter: DriftFindingFilter) { driftEvents(after: $after, filter: $filter) { cursor declared } }';
    const cursorOf = (payload: unknown) =>
      (payload as { data: { driftEvents: { cursor: string } } }).data.driftEvents.cursor;
    const variables = { after: cursorText(start) };
    const slow = await subscriber(wsUrl, 'ann', query, variables, cursorOf);
    const quick = await subscriber(wsUrl, 'bob', query, variables, cursorOf);
    const more = await subscriber(wsUrl, 'bob', query, variables, cursorOf);
    const cursors = [cursorText(log.append(driftOpened(7)))];
    await expect.poll(() => [slow, quick, more].map(({ payloads }) => payloads)).toEqual([cursors, cursors, cursors]);
    slow.socket.pause();
    const declared = 'x'.repeat(20_000);
    for (let i = 0; i < 1_500; i++) cursors.push(cursorText(log.append(driftOpened(7, { declared }))));
    const heard = () => [quick, more].map(({ payloads }) => payloads.length);
    await expect.poll(heard, { timeout: 20_000 }).toEqual([cursors.length, cursors.length]);
    expect([quick.payloads, more.payloads]).toEqual([cursors, cursors]);
    // Two looks find it in the middle of one and the same event.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    slow.socket.resume();
    const [code, reason] = await slow.closed;
    const resumeAfter = String(slow.payloads.at(-1));
    expect([code, reason]).toEqual([4413, `Too slow: resume after ${resumeAfter}`]);
    const again = await subscriber(wsUrl, 'ann', query, { after: resumeAfter }, cursorOf);
    await expect.poll(() => [...slow.payloads, ...again.payloads].length, { timeout: 20_000 }).toBe(cursors.length);
    expect([...slow.payloads, ...again.payloads]).toEqual(cursors);
  });

  it('that reads, but asks for what takes long to work out, is told all in its own time and never closed', async () => {
    const found = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return new Map();
    };
    const { log, wsUrl } = await gateway({
      feed: { patience: 60 },
      watchEvery: 2_000,
      inventory: { driftFindingsById: found },
    });
    const start = log.append(driftOpened(1));
    const cheap = 'subscription ($after: String) { driftEvents(after: $after) { cursor } }';
    const dear = 'subscription ($after: String) { driftEvents(after: $after) { cursor finding { id } } }';
    const cursorOf = (payload: unknown) =>
      (payload as { data: { driftEvents: { cursor: string } } }).data.driftEvents.cursor;
    const all = await Promise.all(
      [dear, cheap, cheap].map((query, n) =>
        subscriber(wsUrl, ['ann', 'bob', 'clerk'][n] ?? '', query, { after: cursorText(start) }, cursorOf),
      ),
    );
    const cursors = [cursorText(log.append(driftOpened(7)))];
    await expect.poll(() => all.map(({ payloads }) => payloads)).toEqual([cursors, cursors, cursors]);
    for (let i = 0; i < 1_500; i++) cursors.push(cursorText(log.append(driftOpened(7))));
    const [slow, ...quick] = all;
    await expect.poll(() => quick.map(({ payloads }) => payloads.length), { timeout: 20_000 }).toEqual([1_501, 1_501]);
    expect(slow?.payloads.length).toBeLessThan(1_501);
    await expect.poll(() => slow?.payloads.length, { timeout: 20_000 }).toBe(1_501);
    for (const { payloads, socket } of all) {
      expect(payloads).toEqual(cursors);
      expect(socket.readyState).toBe(WebSocket.OPEN);
    }
  });
});
