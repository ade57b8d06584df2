import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/settings.js';
import { isoTime, SECOND } from '../../src/domain/time.js';
import { cursorText } from '../../src/feed/cursor.js';
import { openStore } from '../../src/store/open.js';
import { driftOpened } from '../testkit/event-log.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { THEN } from '../testkit/view.js';
import { OwnClock } from './clock.js';
import { answers, type Receiver, receiver, signed, takes } from './receiver.js';
import { hook, KEY, type Rig, rig } from './rig.js';

let kit: TestStore;
let site: Receiver;
let clock: OwnClock;
let open: Rig[] = [];
const admin = caller();
beforeEach(async () => {
  kit = await createTestStore();
  clock = new OwnClock(THEN);
  site = await receiver(clock.now);
});
afterEach(async () => {
  for (const one of open) await one.stop();
  open = [];
  await site.close();
  await kit.close();
});

async function telling(...targets: Parameters<typeof rig>[1]): Promise<Rig> {
  const made = await rig(kit.store, targets, { clock });
  open.push(made);
  return made;
}
const vmids = () => site.received.map(({ body }) => (JSON.parse(body) as { subject: { id: string } }).subject.id);
const bodies = () => site.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const targetsNow = ({ told }: Rig) => told.verbs.targets(admin);

describe('a webhook', () => {
  it('is posted the event as it is in the log, signed, soon after its commit', async () => {
    const { commit } = await telling(hook(site.url));
    const event = driftOpened(101);
    const [cursor = 0n] = await commit(event);
    await clock.until(() => site.received.length === 1);
    const [got] = site.received;
    expect(JSON.parse(got?.body ?? '')).toEqual({
      id: cursorText(cursor),
      topic: 'drift.detected',
      at: isoTime(event.at),
      subject: event.subject,
      payload: event.payload,
    });
    expect(got?.signature).toBe(signed(got?.body ?? '', KEY));
    expect(got?.topic).toBe('drift.detected');
    expect(got?.delivery).toMatch(/^[0-9a-f-]{36}$/);
    expect(clock.now() - THEN).toBeLessThanOrEqual(SECOND);
  });

  it('is told in the order of the log, each once, also what was committed while it was slow', async () => {
    const { commit } = await telling(hook(site.url, { digest: null }));
    site.behave((response) => setTimeout(() => takes(response, response.req), 20));
    for (let vmid = 1; vmid <= 8; vmid++) await commit(driftOpened(vmid));
    await clock.until(() => site.received.length === 8);
    expect(vmids()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((vmid) => `main/${vmid}@1`));
    expect(new Set(site.received.map(({ delivery }) => delivery)).size).toBe(8);
  });

  it('is tried again after 60, 300, 900, 3600 and 7200 s with the same bytes and the same id, then its letters are dead, in order', async () => {
    const one = await telling(hook(site.url));
    site.behave(answers(503));
    await one.commit(driftOpened(1));
    await clock.until(() => site.received.length === 1);
    await one.commit(driftOpened(2), driftOpened(3));
    const start = clock.now();
    await clock.until(() => one.measured['hook dead'] === 3);
    expect(site.received.map(({ at }) => (at - start) / SECOND)).toEqual([0, 60, 360, 1_260, 4_860, 12_060]);
    expect(new Set(site.received.map(({ body, delivery, signature }) => `${delivery}${signature}${body}`)).size).toBe(
      1,
    );
    const { items } = await one.told.verbs.deadLetters(admin, {});
    expect(items.map(({ body }) => (JSON.parse(body) as { subject: { id: string } }).subject.id)).toEqual([
      'main/1@1',
      'main/2@1',
      'main/3@1',
    ]);
    expect(items.map(({ reason }) => reason)).toEqual(Array(3).fill(expect.stringContaining('answered 503')));
    expect(await targetsNow(one)).toMatchObject([{ state: 'SPENT', failures: 6 }]);
  });

  it('whose key or address was missing is told at once by a gateway that has it, and by no other', async () => {
    const target = hook('', { url: { env: 'HOOK_URL' }, digest: null });
    const started = async (known: Readonly<Record<string, string>>) => {
      const secret = (name: string) => (known[name] === undefined ? undefined : new Secret(known[name]));
      const made = await rig(kit.store, [target], { clock, secret });
      open.push(made);
      return made;
    };
    const one = await started({ HOOK_URL: site.url });
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['hook failed'] === 5);
    await one.stop();
    const stoppedAt = clock.now();
    const standing = async () => (await kit.store.deliveries.states(['hook']))[0]?.reason;
    const missing: [Readonly<Record<string, string>>, string][] = [
      [{ HOOK_SECRET: KEY, HOOK_URL: 'https://[fe80::7]/' }, 'HOOK_SECRET is not set: nothing is sent unsigned'],
      [{ HOOK_URL: site.url }, 'HOOK_SECRET is not set: nothing is sent unsigned'],
    ];
    for (const [known, reason] of missing) {
      const other = await started(known);
      await clock.pass(5 * SECOND);
      await other.stop();
      expect([await standing(), site.received.length]).toEqual([reason, 0]);
    }
    const whole = await started({ HOOK_URL: site.url, HOOK_SECRET: KEY });
    await clock.until(() => whole.measured['hook delivered'] === 1);
    await clock.until(async () => (await standing()) === null);
    expect(vmids()).toEqual(['main/1@1']);
    expect(clock.now() - stoppedAt).toBeLessThan(60 * SECOND);
  });

  describe('that spent its plan', () => {
    let one: Rig;
    beforeEach(async () => {
      one = await telling(hook(site.url));
      site.behave(answers(500));
      await one.commit(driftOpened(1));
      await clock.until(() => one.measured['hook dead'] === 1);
      site.received.length = 0;
    });

    it('gets one attempt for each new event, until one succeeds', async () => {
      await one.commit(driftOpened(2));
      await clock.until(() => one.measured['hook dead'] === 2);
      expect(vmids()).toEqual(['main/2@1']);
      site.behave(takes);
      await one.commit(driftOpened(3));
      await clock.until(() => one.measured['hook delivered'] === 1);
      expect(vmids()).toEqual(['main/2@1', 'main/3@1']);
      site.behave(answers(500));
      await one.commit(driftOpened(4));
      await clock.until(() => site.received.length === 4);
      expect(await targetsNow(one)).toMatchObject([{ state: 'FAILING', deadLetters: 2 }]);
    });

    it('is sent its dead letters again when an admin says so, in order, under their old ids', async () => {
      await one.commit(driftOpened(2));
      await clock.until(() => one.measured['hook dead'] === 2);
      const { items } = await one.told.verbs.deadLetters(admin, {});
      site.received.length = 0;
      site.behave(takes);
      const replay = one.told.verbs.replay(admin, { target: 'hook' }, AbortSignal.timeout(10_000));
      const [letters] = await Promise.all([replay, clock.pass(SECOND)]);
      expect(letters.map(({ queuedAt, replayedAt }) => [queuedAt, typeof replayedAt])).toEqual([
        [null, 'number'],
        [null, 'number'],
      ]);
      expect(site.received.map(({ delivery }) => delivery)).toEqual(items.map(({ id }) => id));
      expect(site.received.map(({ body }) => body)).toEqual(items.map(({ body }) => body));
      expect(await targetsNow(one)).toMatchObject([{ state: 'HEALTHY', deadLetters: 0 }]);
    });

    it('keeps the letters behind one that fails again, untried and in their order', async () => {
      await one.commit(driftOpened(2));
      await clock.until(() => one.measured['hook dead'] === 2);
      site.received.length = 0;
      const replay = one.told.verbs.replay(admin, { target: 'hook' }, AbortSignal.timeout(10_000));
      await clock.until(() => site.received.length === 1);
      const done = clock.pass(SECOND);
      expect((await replay).map(({ queuedAt, replayedAt }) => [queuedAt, replayedAt])).toEqual([
        [null, null],
        [null, null],
      ]);
      await done;
      expect(site.received.length).toBe(1);
    });
  });

  it('tells three hundred findings at once in one message that holds them all, in order', async () => {
    const { commit } = await telling(hook(site.url));
    await commit(...Array.from({ length: 300 }, (_, i) => driftOpened(i + 1)));
    await clock.until(() => site.received.length > 0);
    await clock.pass(120 * SECOND);
    const [got] = bodies();
    const { count, bySeverity, events } = (got?.payload ?? {}) as Readonly<Record<string, unknown>>;
    expect([site.received.length, got?.topic, count, bySeverity]).toEqual([1, 'digest', 300, { WARNING: 300 }]);
    expect((events as { subject: { id: string } }[]).map(({ subject }) => subject.id)).toEqual(
      Array.from({ length: 300 }, (_, i) => `main/${i + 1}@1`),
    );
    expect(site.received[0]?.signature).toBe(signed(site.received[0]?.body ?? '', KEY));
  });

  it('tells a burst over several commits in one message, too', async () => {
    const { commit } = await telling(hook(site.url));
    for (let vmid = 1; vmid <= 40; vmid++) await commit(driftOpened(vmid));
    await clock.until(() => site.received.length > 0);
    await clock.pass(120 * SECOND);
    expect(bodies().reduce((sum, { payload }) => sum + ((payload as { count?: number }).count ?? 1), 0)).toBe(40);
    expect(bodies().at(-1)?.topic).toBe('digest');
  });

  it('goes on where it stood after a restart, and sends what it was sending under the same id', async () => {
    const first = await telling(hook(site.url));
    site.behave(answers(500));
    await first.commit(driftOpened(1));
    await clock.until(() => site.received.length === 1);
    await first.stop();
    open = [];
    await kit.store.transaction((tx) => tx.events.append([driftOpened(2)]));
    site.behave(takes);
    await telling(hook(site.url));
    await clock.until(() => site.received.length === 3);
    expect(vmids()).toEqual(['main/1@1', 'main/1@1', 'main/2@1']);
    expect(site.received[1]?.delivery).toBe(site.received[0]?.delivery);
  });

  it('that fails delays nobody else', async () => {
    const other = await receiver(clock.now);
    const { commit } = await telling(hook(site.url), hook(other.url, { id: 'other' }));
    site.behave(answers(500));
    for (let vmid = 1; vmid <= 3; vmid++) await commit(driftOpened(vmid));
    await clock.until(() => other.received.length === 3, 2);
    expect(clock.now() - THEN).toBeLessThanOrEqual(SECOND);
    expect(site.received.length).toBe(1);
    await other.close();
  });
});

describe('the list of dead letters', () => {
  let one: Rig;
  beforeEach(async () => {
    one = await telling(hook(site.url, { digest: null }));
    site.behave(answers(500));
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['hook dead'] === 1);
    await one.commit(...[2, 3, 4, 5].map((vmid) => driftOpened(vmid)));
    await clock.until(() => one.measured['hook dead'] === 5);
  });
  const page = async (request: Parameters<typeof one.told.verbs.deadLetters>[1]) => {
    const { items, hasNextPage, hasPreviousPage, cursorOf } = await one.told.verbs.deadLetters(admin, request);
    const guests = items.map(({ body }) => (JSON.parse(body) as { subject: { id: string } }).subject.id);
    return { guests, more: [hasPreviousPage, hasNextPage], cursors: items.map(cursorOf) };
  };

  it('is read forward and backward, page by page, each letter once', async () => {
    const first = await page({ first: 2 });
    const second = await page({ first: 2, after: first.cursors[1] });
    const third = await page({ first: 2, after: second.cursors[1] });
    expect([first, second, third].map(({ guests, more }) => [guests, more])).toEqual([
      [
        ['main/1@1', 'main/2@1'],
        [false, true],
      ],
      [
        ['main/3@1', 'main/4@1'],
        [true, true],
      ],
      [['main/5@1'], [true, false]],
    ]);
    const last = await page({ last: 2 });
    const middle = await page({ last: 2, before: last.cursors[0] });
    const start = await page({ last: 2, before: middle.cursors[0] });
    expect([last, middle, start].map(({ guests, more }) => [guests, more])).toEqual([
      [
        ['main/4@1', 'main/5@1'],
        [true, false],
      ],
      [
        ['main/2@1', 'main/3@1'],
        [true, true],
      ],
      [['main/1@1'], [false, true]],
    ]);
  });

  it.each([
    [{ after: '999999' }, 'after'],
    [{ after: cursorText(7n) }, 'after'],
    [{ before: Buffer.from('["guests","main",1]').toString('base64url') }, 'before'],
    [{ after: Buffer.from('["dead letters","1; x"]').toString('base64url') }, 'after'],
    [{ first: 501 }, 'first'],
    [{ last: -1 }, 'last'],
    [{ first: 1, last: 1 }, 'last'],
  ])('refuses what is no page of it: %o', async (request, field) => {
    await expect(page(request)).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: [field] });
  });
});

describe('how a target does', () => {
  it('is news once when it begins to fail, once when it is given up, and once when it takes messages again', async () => {
    const one = await telling(hook(site.url));
    site.behave(answers(503));
    await one.commit(driftOpened(1));
    await clock.until(() => site.received.length === 3);
    const reason = expect.stringContaining('answered 503');
    expect(one.turns).toEqual([{ target: 'hook', kind: 'failing', reason }]);
    await one.commit(driftOpened(2));
    await clock.until(() => one.measured['hook dead'] === 2);
    await one.commit(driftOpened(3));
    await clock.until(() => one.measured['hook dead'] === 3);
    site.behave(takes);
    await one.commit(driftOpened(4));
    await clock.until(() => one.measured['hook delivered'] === 1);
    await one.commit(driftOpened(5));
    await clock.until(() => one.measured['hook delivered'] === 2);
    expect(one.turns).toEqual([
      { target: 'hook', kind: 'failing', reason },
      { target: 'hook', kind: 'spent', reason, letters: 2 },
      { target: 'hook', kind: 'recovered' },
    ]);
  });

  it('is said before its first event, where nothing can be sent as things are set', async () => {
    const mail = { kind: 'mail', id: 'ops', to: ['ops@example.org'], from: null } as const;
    const { secretEnv: _, url: __, format: ___, allow: ____, ...common } = hook(site.url);
    const one = await telling(
      hook(site.url),
      hook(site.url, { id: 'unsigned', secretEnv: 'UNSET' }),
      hook('', { id: 'nowhere', url: { env: 'NO_URL' }, secretEnv: 'UNSET' }),
      { ...common, ...mail },
    );
    expect((await targetsNow(one)).map(({ name, state, reason, failures }) => [name, state, reason, failures])).toEqual(
      [
        ['hook', 'HEALTHY', null, 0],
        ['unsigned', 'MISCONFIGURED', 'UNSET is not set: nothing is sent unsigned', 0],
        [
          'nowhere',
          'MISCONFIGURED',
          'NO_URL is not set: it must hold the address; UNSET is not set: nothing is sent unsigned',
          0,
        ],
        ['ops', 'MISCONFIGURED', 'SMTP_URL is not set: no mail can be sent', 0],
      ],
    );
  });
});

it('two replicas tell each event once, and the other goes on when one stops', async () => {
  const one = await telling(hook(site.url, { digest: null }));
  const store = await openStore({ url: kit.url, applicationName: 'replica', maxConnections: 3 });
  const other = await rig(store, [hook(site.url, { digest: null })], { clock });
  for (let vmid = 1; vmid <= 5; vmid++) await one.commit(driftOpened(vmid));
  await clock.until(() => site.received.length === 5, 2);
  await one.stop();
  open = [];
  for (let vmid = 6; vmid <= 9; vmid++) await other.commit(driftOpened(vmid));
  await clock.until(() => site.received.length === 9);
  await clock.pass(10 * SECOND);
  expect(vmids()).toEqual(Array.from({ length: 9 }, (_, i) => `main/${i + 1}@1`));
  await other.stop();
  await store.close();
});
