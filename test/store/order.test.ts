import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OpenedStore, openStore } from '../../src/store/open.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { put, state } from './words.js';

let kit: TestStore;
let second: OpenedStore;
beforeEach(async () => {
  kit = await createTestStore();
  second = await openStore({ url: kit.url, maxConnections: 8 });
});
afterEach(async () => {
  await second.close();
  await kit.close();
});

const WRITERS = 12;
const EACH = 12;

/** Writes from two replicas at once; every transaction dawdles between its numbers and its commit. Some change their mind. */
async function everyoneWrites(): Promise<void> {
  const writer = async (w: number): Promise<void> => {
    const store = w % 2 === 0 ? kit.store : second;
    for (let i = 0; i < EACH; i++) {
      await sleep(Math.random() * 10);
      await store
        .transaction(async (tx) => {
          await tx.events.append([
            { topic: 't', at: tx.now, subject: { kind: 'GUEST', id: `${w}/${i}` }, payload: tx.now },
          ]);
          await tx.batches.apply({ writes: [put(`${w}`, i)], reads: [], state: state({ source: `proxmox:${w}` }) });
          await sleep(Math.random() * 6);
          if (i % 6 === 5) throw new Error('changed my mind');
        })
        .catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, w) => writer(w)));
}

it('never shows a commit behind a cursor or a sequence number that a reader has passed', async () => {
  let writing = true;
  const written = everyoneWrites().finally(() => {
    writing = false;
  });
  const cursors: bigint[] = [];
  const opened: string[] = [];
  let cursor = 0n;
  let seq = 0n;
  for (let last = false; !last; ) {
    last = !writing;
    for (const event of await kit.store.events.after(cursor, ['t'], 1_000)) {
      cursors.push(event.cursor);
      cursor = event.cursor;
    }
    const delta = await second.versions.since(seq);
    opened.push(...delta.ended.map((e) => `${e.version.key}=${e.version.body}`));
    opened.push(...delta.opened.map((v) => `${v.key}=${v.body}`));
    seq = delta.seq;
  }
  await written;

  const all = await kit.store.events.after(0n, ['t'], 10_000);
  expect(all).toHaveLength(WRITERS * (EACH - 2));
  expect(cursors).toEqual(all.map((event) => event.cursor));
  // Each body was seen: either open, or ended by its successor before we looked.
  const bodies = all.map((event) => event.subject.id.replace('/', '='));
  expect([...new Set(opened)].sort()).toEqual(bodies.sort());
  // And the times that transactions were given are in the same order.
  const times = all.map((event) => event.payload as number);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

it('shows a delta of one moment: what its number says is all there', async () => {
  let writing = true;
  const written = everyoneWrites().finally(() => {
    writing = false;
  });
  let seq = 0n;
  const states = new Map<string, bigint>();
  for (let last = false; !last; ) {
    last = !writing;
    const delta = await second.versions.since(seq);
    // A batch is one transaction: whoever has a source's new version has its new state.
    const sources = new Set(delta.states.map((s) => s.source));
    for (const { key } of delta.opened) expect(sources).toContain(`proxmox:${key}`);
    for (const source of sources) states.set(source, delta.seq);
    expect(delta.seq >= seq).toBe(true);
    seq = delta.seq;
  }
  await written;
  expect(states.size).toBe(WRITERS);
});
