import { describe, expect, it } from 'vitest';
import type { Knowledge } from '../../src/graphql/kept-answers.js';
import { faceWith } from '../testkit/graphql.js';
import { inventoryOver } from '../testkit/inventory.js';
import { caller } from '../testkit/principal.js';
import { aView } from '../testkit/view.js';

const PAGE = '{ guests(first: 10) { nodes { id name status } } }';

/** A face that counts how often the inventory is asked for guests. */
async function counting(knowledge: () => Knowledge) {
  const inventory = inventoryOver(aView({}));
  let asked = 0;
  const counted = {
    ...inventory,
    guests: (...question: Parameters<typeof inventory.guests>) => {
      asked += 1;
      return inventory.guests(...question);
    },
  };
  const face = await faceWith({ inventory: counted }, { knowledge });
  const ask = async (query: string, principal = caller(), headers: readonly (readonly [string, string])[] = []) => {
    const request = {
      method: 'POST',
      headers: [['content-type', 'application/json'] as const, ...headers],
      body: { query },
      search: '',
    };
    const { status, body } = await face.handle(request, principal);
    return {
      status,
      text: typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body).toString() : '',
    };
  };
  return { ask, asked: () => asked };
}

describe('an answer about now', () => {
  it('is kept while nothing is learned, and is the same to the letter', async () => {
    const view = {};
    const face = await counting(() => ({ view, stale: '0' }));
    const first = await face.ask(PAGE);
    expect(await face.ask(PAGE)).toEqual(first);
    expect(face.asked()).toBe(1);
  });

  it('is asked for anew when something was learned, and when a source goes stale', async () => {
    let knowledge: Knowledge = { view: {}, stale: '0' };
    const face = await counting(() => knowledge);
    await face.ask(PAGE);
    knowledge = { view: {}, stale: '0' };
    await face.ask(PAGE);
    knowledge = { ...knowledge, stale: '1' };
    await face.ask(PAGE);
    expect(face.asked()).toBe(3);
  });

  it('is kept for one permission scope: another one is asked, and refused, by itself', async () => {
    const view = {};
    const face = await counting(() => ({ view, stale: '' }));
    await face.ask(PAGE);
    const stranger = caller([]);
    const refused = await face.ask(PAGE, stranger);
    expect(refused.text).toContain('FORBIDDEN');
    expect((await face.ask(PAGE, stranger)).text).toContain('FORBIDDEN');
  });

  it.each([
    ['an age', '{ guests(first: 10) { nodes { id freshness { ageSeconds } } } }'],
    ['another moment', '{ guests(first: 10, asOf: "2026-01-01T00:00:00Z") { nodes { id } } }'],
    ['who asks', '{ guests(first: 10) { nodes { id } } viewer { name } }'],
    [
      'a fragment that may bring anything',
      'query { ...all } fragment all on Query { guests(first: 10) { nodes { id } } }',
    ],
    ['what is wrong', '{ guests(first: 1000000) { nodes { id } } }'],
  ])('is not kept where it holds %s', async (_what, query) => {
    const view = {};
    const face = await counting(() => ({ view, stale: '' }));
    const kept = async () => (await face.ask(query)).text;
    await kept();
    const before = face.asked();
    await kept();
    if (before > 0) expect(face.asked()).toBeGreaterThan(before);
  });

  it('is not kept where something was learned while it was worked out', async () => {
    let view = {};
    const face = await counting(() => {
      const now = { view, stale: '' };
      view = {};
      return now;
    });
    await face.ask(PAGE);
    await face.ask(PAGE);
    expect(face.asked()).toBe(2);
  });
});
