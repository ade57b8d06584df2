import { type Client, createClient } from 'graphql-ws';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cursorText } from '../../src/feed/cursor.js';
import { feed } from '../../src/feed/feed.js';
import { changeStep, driftOpened, EventLog } from '../testkit/event-log.js';
import { faceWith, served, type TestFace } from '../testkit/graphql.js';
import { emptyStore, inventoryOver } from '../testkit/inventory.js';
import { caller } from '../testkit/principal.js';
import { aFinding, aView, THEN } from '../testkit/view.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Gateway {
  readonly log: EventLog;
  readonly face: TestFace;
  readonly wsUrl: string;
  /** Ends the credentials of everybody, as a revocation does. */
  revoke(): void;
}

async function gateway(): Promise<Gateway> {
  const log = new EventLog();
  const finding = aFinding({
    identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/7@1' }, field: 'name' },
  });
  const view = aView({ guests: [{ vmid: 7 }], findings: [finding] });
  const inventory = inventoryOver(view, { store: emptyStore() });
  let valid = true;
  let keysChanged = () => {};
  const events = feed({
    store: { events: log.events },
    onEvents: log.onEvents,
    learned: async () => {},
    stillValid: () => true,
    matchesGuest: inventory.matchesGuest,
    onTrouble: () => {},
  });
  const run = {
    id: 'r1',
    collector: 'npm',
    source: 'npm:edge',
    state: 'RUNNING',
    startedAt: THEN,
    finishedAt: null,
    outcome: null,
    reason: null,
    requests: null,
    coverage: null,
  } as const;
  const face = await faceWith(
    {
      inventory,
      feed: events,
      collection: {
        run: async () => [],
        confirmDeclared: async () => {},
        async *events() {
          yield { type: 'PROGRESS', at: THEN, run, done: 3, total: 9 } as const;
        },
      },
    },
    {
      authenticate: async (params) =>
        (params as { 'x-api-key'?: string } | undefined)?.['x-api-key'] === 'good' ? caller(['viewer']) : undefined,
      stillHolds: async () => valid,
      onKeysChanged: (fn) => {
        keysChanged = fn;
        return () => {};
      },
    },
  );
  const { wsUrl, close } = await served(face);
  closing.push(() => events.stop(), close);
  return {
    log,
    face,
    wsUrl,
    revoke() {
      valid = false;
      keysChanged();
    },
  };
}

function client(url: string, connectionParams: Record<string, unknown> | undefined): Client {
  const made = createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...(connectionParams && { connectionParams }),
  });
  closing.push(() => made.dispose());
  return made;
}

const GOOD = { 'x-api-key': 'good' };
const DRIFT =
  'subscription ($after: String, $filter: DriftFindingFilter) { driftEvents(after: $after, filter: $filter) { cursor type at actor declared observed finding { id state guest { vmid node { name } } } } }';

/** The close code with which the first thing on a fresh connection ends. */
async function endOf(url: string, params: Record<string, unknown> | undefined): Promise<number> {
  const stream = client(url, params).iterate({ query: DRIFT });
  return await stream.next().then(
    () => 0,
    (event: { code: number }) => event.code,
  );
}

describe('at the door', () => {
  it('missing or wrong credentials end the socket with 4401', async () => {
    const { wsUrl } = await gateway();
    expect(await endOf(wsUrl, undefined)).toBe(4401);
    expect(await endOf(wsUrl, { 'x-api-key': 'bad' })).toBe(4401);
  });
});

describe('a subscriber', () => {
  it('that names a cursor gets what came since, then what comes, each with the finding as it is now', async () => {
    const { log, wsUrl } = await gateway();
    const start = log.append(driftOpened(1));
    const second = log.append(driftOpened(7));
    const stream = client(wsUrl, GOOD).iterate({ query: DRIFT, variables: { after: cursorText(start) } });
    const next = async () => (await stream.next()).value?.data?.driftEvents;
    expect(await next()).toEqual({
      cursor: cursorText(second),
      type: 'OPENED',
      at: '2026-11-21T10:00:00.000Z',
      actor: null,
      declared: 'a',
      observed: 'b',
      finding: { id: 'NAME_DIFFERS:main/7@1:name', state: 'OPEN', guest: { vmid: 7, node: { name: 'pve1' } } },
    });
    const third = log.append(driftOpened(8));
    expect(await next()).toMatchObject({ cursor: cursorText(third), finding: null });
    await stream.return?.();
    await expect.poll(() => log.listeners).toBe(0);
  });

  it('that gives a variable of the wrong type is told which, and the log is not', async () => {
    const { wsUrl, face } = await gateway();
    const errorsOf = async (query: string, variables: Record<string, unknown>) => {
      const stream = client(wsUrl, GOOD).iterate({ query, variables });
      const errors = await stream.next().then(
        ({ value }) => value?.errors,
        (thrown) => thrown,
      );
      return (errors as { message: string; extensions: object }[]).map(({ message, extensions }) => [
        message,
        extensions,
      ]);
    };
    const code = { code: 'BAD_USER_INPUT' };
    expect(await errorsOf(DRIFT, { after: 5 })).toEqual([
      [expect.stringMatching(/^Variable "\$after" got invalid/), code],
    ]);
    expect(await errorsOf(DRIFT, { filter: { states: ['NOPE'] } })).toEqual([
      [expect.stringMatching(/\$filter/), code],
    ]);
    const page = 'query ($first: Int!) { guests(first: $first) { nodes { id } } }';
    expect(await errorsOf(page, {})).toEqual([[expect.stringMatching(/"\$first" of required type/), code]]);
    expect(face.logged).toEqual([]);
  });

  it('of change requests is told each step, with what it is about', async () => {
    const { log, wsUrl } = await gateway();
    const start = log.append(changeStep('REQUESTED'));
    const second = log.append(changeStep('DECIDED', { actor: 'bob', decision: 'REJECTED', reason: 'not yet' }));
    const query =
      'subscription ($after: String) { changeRequestEvents(after: $after) { cursor type at actor reason changeRequestId subject { kind id } contentHash decision } }';
    const stream = client(wsUrl, GOOD).iterate({ query, variables: { after: cursorText(start) } });
    expect((await stream.next()).value?.data?.changeRequestEvents).toEqual({
      cursor: cursorText(second),
      type: 'DECIDED',
      at: '2026-11-21T10:00:00.000Z',
      actor: 'bob',
      reason: 'not yet',
      changeRequestId: 'change-1',
      subject: { kind: 'API', id: 'payments' },
      contentHash: 'ab12',
      decision: 'REJECTED',
    });
    await stream.return?.();
  });

  it('with a filter gets only what passes it', async () => {
    const { log, wsUrl } = await gateway();
    const start = log.append(driftOpened(1));
    log.append(driftOpened(7));
    log.append(driftOpened(8));
    const stream = client(wsUrl, GOOD).iterate({
      query: DRIFT,
      variables: { after: cursorText(start), filter: { vmid: 8, kinds: null } },
    });
    const { value } = await stream.next();
    expect(value?.data?.driftEvents).toMatchObject({ cursor: cursorText(start + 6n) });
  });

  it('whose cursor has expired, or is none, gets an error with the code and no gap', async () => {
    const { log, wsUrl } = await gateway();
    const first = log.append(driftOpened(1));
    log.append(driftOpened(2));
    log.prune(log.append(driftOpened(3)));
    const outcome = async (after: string) => {
      const stream = client(wsUrl, GOOD).iterate({ query: DRIFT, variables: { after } });
      return await stream.next().then(
        ({ value }) => value?.errors?.[0]?.extensions?.code,
        (errors: { extensions: { code: string } }[]) => errors[0]?.extensions.code,
      );
    };
    expect(await outcome(cursorText(first))).toBe('CURSOR_EXPIRED');
    expect(await outcome('nonsense')).toBe('VALIDATION_ERROR');
  });

  it('to collectors and guests gets runs and changes; wrong and too large documents are refused', async () => {
    const { log, wsUrl } = await gateway();
    const link = client(wsUrl, GOOD);
    const first = async (query: string) =>
      await link
        .iterate({ query })
        .next()
        .then(
          ({ value }) => value?.data ?? value?.errors?.[0]?.extensions?.code,
          (errors: { extensions: { code: string } }[]) => errors[0]?.extensions.code,
        );
    expect(await first('subscription { collectorEvents { type done total run { collector source } } }')).toEqual({
      collectorEvents: { type: 'PROGRESS', done: 3, total: 9, run: { collector: 'NPM', source: 'npm:edge' } },
    });
    const start = log.append(driftOpened(1));
    const payload = { type: 'MOVED', guest: 'main/7@1', name: 'guest-7', kind: 'QEMU', from: 'pve2', to: 'pve1' };
    log.append({ topic: 'guest.moved', at: THEN, subject: { kind: 'GUEST', id: 'main/7@1' }, payload });
    expect(
      await first(
        `subscription { inventoryEvents(after: "${cursorText(start)}") { type guestId from to guest { name } } }`,
      ),
    ).toEqual({
      inventoryEvents: { type: 'MOVED', guestId: 'main/7@1', from: 'pve2', to: 'pve1', guest: { name: 'guest-7' } },
    });
    expect(await first('{ guests { totalCount nodes { vmid } } }')).toEqual({
      guests: { totalCount: 1, nodes: [{ vmid: 7 }] },
    });
    expect(await first('{ nothing }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await first('{ ')).toBe('GRAPHQL_PARSE_FAILED');
    expect(await first(`{ guests { nodes ${'{ findings { guest '.repeat(8)}{ id }${' } }'.repeat(8)} } }`)).toBe(
      'QUERY_TOO_COMPLEX',
    );
    expect(await first('mutation { apiKeyCreate(input: { name: "x", roles: [] }) { secret } }')).toBe('INTERNAL');
  });
});

describe('under way', () => {
  async function connected(url: string): Promise<{ code: Promise<number> }> {
    let opened = () => {};
    const isOpen = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const link = createClient({
      url,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: GOOD,
      on: { connected: () => opened() },
    });
    closing.push(() => link.dispose());
    const code = link
      .iterate({ query: DRIFT })
      .next()
      .then(
        () => 0,
        (event: { code: number }) => event.code,
      );
    await isOpen;
    return { code };
  }

  it('a key that is revoked ends its sockets with 4403', async () => {
    const { wsUrl, revoke } = await gateway();
    const { code } = await connected(wsUrl);
    revoke();
    expect(await code).toBe(4403);
  });

  it('a gateway that stops ends them with 1001', async () => {
    const { wsUrl, face } = await gateway();
    const { code } = await connected(wsUrl);
    await face.stop();
    expect(await code).toBe(1001);
  });
});
