import { expect, it } from 'vitest';
import { CALLER, openServer } from './open-server.js';

it('hands over method, body and query string with the caller, and gives back what comes', async () => {
  const { askWithKey } = await openServer({
    graphql: async (request, principal) => ({
      status: 418,
      headers: new Map([
        ['content-type', 'application/graphql-response+json'],
        ['x-mine', request.headers.get('x-yours') ?? ''],
      ]),
      body: JSON.stringify([request.method, request.body ?? null, request.search, principal === CALLER]),
    }),
  });
  const posted = await askWithKey('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-yours': 'y' },
    body: '{"query":"{a}"}',
  });
  expect(posted.status).toBe(418);
  expect(posted.headers.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
  expect(posted.headers.get('x-mine')).toBe('y');
  expect(await posted.json()).toEqual(['POST', { query: '{a}' }, '', true]);
  const got = await askWithKey('/graphql?query=%7Ba%7D');
  expect(await got.json()).toEqual(['GET', null, '?query=%7Ba%7D', true]);
});

it('passes on an answer that comes in pieces', async () => {
  const { askWithKey } = await openServer({
    graphql: async () => ({ status: 200, headers: [['content-type', 'multipart/mixed']], body: pieces() }),
  });
  const answer = await askWithKey('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(await answer.text()).toBe('one two');
});

async function* pieces() {
  yield 'one ';
  yield 'two';
}
