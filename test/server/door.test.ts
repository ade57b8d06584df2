import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../src/domain/errors.js';
import type { RestRoute } from '../../src/rest/route.js';
import { openServer } from './open-server.js';

const hello: RestRoute = {
  method: 'GET',
  path: '/v1/hello/:name',
  answer: async (_, { params }) => ({ status: 200, headers: { etag: '"1"' }, body: `{"hello":"${params.name}"}` }),
};

function failing(thrown: unknown): RestRoute {
  return { method: 'GET', path: '/v1/fails', answer: () => Promise.reject(thrown) };
}

/** What comes back for bytes as they are: fetch would mend them first. */
async function raw(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

describe('without a key', () => {
  const closed: [string, string][] = [
    ['GET', '/'],
    ['GET', '/v1/hello/you'],
    ['HEAD', '/v1/hello/you'],
    ['OPTIONS', '/v1/hello/you'],
    ['GET', '/v1/no-such-thing'],
    ['DELETE', '/v1/no-such-thing'],
    ['POST', '/graphql'],
    ['GET', '/graphql?query={__typename}'],
    ['OPTIONS', '/graphql'],
    ['GET', '/console'],
    ['GET', '/healthz/more'],
    ['GET', '/HEALTHZ'],
    ['GET', '//healthz'],
    ['GET', '/v1/%zz'],
    ['GET', '/healthz/../v1/hello/you'],
  ];
  it.each(closed)('%s %s is 401', async (method, path) => {
    const { ask } = await openServer({ rest: [hello] });
    const answer = await ask(path, { method });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a body is not even read', async () => {
    const { ask } = await openServer();
    const headers = { 'content-type': 'application/json' };
    expect((await ask('/graphql', { method: 'POST', headers, body: '{' })).status).toBe(401);
    expect((await ask('/nowhere', { method: 'POST', headers, body: '{' })).status).toBe(401);
  });

  it('says so in the words of the face that was asked', async () => {
    const { ask } = await openServer();
    expect(await (await ask('/v1/x')).json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
    const graphql = await (await ask('/graphql', { method: 'POST' })).json();
    expect(graphql).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it('only whether it lives and whether it is ready can be learned', async () => {
    const { ask } = await openServer();
    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(200);
  });
});

describe('with a key', () => {
  it('a route answers GET and HEAD alike, and says to OPTIONS and others what it takes', async () => {
    const { askWithKey } = await openServer({ rest: [hello] });
    const got = await askWithKey('/v1/hello/you');
    expect([got.status, await got.text()]).toEqual([200, '{"hello":"you"}']);
    const head = await askWithKey('/v1/hello/you', { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, '"1"', '']);
    const options = await askWithKey('/v1/hello/you', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const deleted = await askWithKey('/v1/hello/you', { method: 'DELETE' });
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([404, 'GET, HEAD, OPTIONS']);
  });

  it('an unknown path is a 404 in JSON', async () => {
    const { askWithKey } = await openServer();
    const answer = await askWithKey('/v1/nothing?here=1');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual({ error: { code: 'NOT_FOUND', message: 'there is nothing at /v1/nothing' } });
  });

  const bodies: [string, string, string, number, string][] = [
    ['JSON that breaks off', 'application/json', '{"query":', 400, 'VALIDATION_ERROR'],
    ['an empty body', 'application/json', '', 400, 'VALIDATION_ERROR'],
    ['another format', 'text/plain', '{"query":"{a}"}', 415, 'VALIDATION_ERROR'],
    ['a form', 'application/x-www-form-urlencoded', 'query=a', 415, 'VALIDATION_ERROR'],
    ['a prototype', 'application/json', '{"__proto__":{"a":1}}', 400, 'VALIDATION_ERROR'],
    ['more than 1 MiB', 'application/json', JSON.stringify({ query: 'x'.repeat(1024 * 1024) }), 413, 'TOO_LARGE'],
  ];
  it.each(bodies)('%s is refused with a reason and no stack', async (_, type, body, status, code) => {
    const { askWithKey } = await openServer();
    const answer = await askWithKey('/graphql', { method: 'POST', headers: { 'content-type': type }, body });
    const text = await answer.text();
    expect(answer.status).toBe(status);
    expect(JSON.parse(text).errors[0].extensions).toEqual({ code });
    expect(text).not.toMatch(/node_modules|at .*\.js|FST_/);
  });

  const codes: [DomainError, number][] = [
    [new DomainError('FORBIDDEN', 'no'), 403],
    [new DomainError('NOT_FOUND', 'no'), 404],
    [new DomainError('VALIDATION_ERROR', 'no'), 400],
    [new DomainError('CONFLICT', 'no'), 409],
    [new DomainError('RATE_LIMITED', 'no'), 429],
    [new DomainError('UNAVAILABLE', 'no'), 503],
  ];
  it.each(codes)('%s has its status', async (thrown, status) => {
    const { askWithKey } = await openServer({ rest: [failing(thrown)] });
    const answer = await askWithKey('/v1/fails');
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: { code: thrown.code, message: 'no' } });
    expect(answer.headers.has('retry-after')).toBe(status === 429 || status === 503);
  });

  it('what nobody foresaw is told by its request id, and in full only to the log', async () => {
    const { askWithKey, lines } = await openServer({ rest: [failing(new Error('password=hunter2 at /srv/db.ts'))] });
    const answer = await askWithKey('/v1/fails', { headers: { 'x-request-id': 'order-4711' } });
    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-request-id')).toBe('order-4711');
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('INTERNAL');
    expect(error.message).toContain('order-4711');
    expect(error.message).not.toContain('hunter2');
    expect(lines.some((line) => line.includes('order-4711') && line.includes('/srv/db.ts'))).toBe(true);
  });

  it('a request id that does not belong in a log line is replaced', async () => {
    const { askWithKey } = await openServer();
    const answer = await askWithKey('/nothing', { headers: { 'x-request-id': 'a b\tc{"level":60}' } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('a path with a broken escape is the caller’s mistake', async () => {
    const { askWithKey } = await openServer();
    const answer = await askWithKey('/v1/%zz');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'VALIDATION_ERROR' } });
  });

  it('503 when keys cannot be looked up, not 401', async () => {
    const authenticate = () => Promise.reject(new DomainError('UNAVAILABLE', 'keys cannot be checked'));
    const { askWithKey } = await openServer({ authenticate });
    const answer = await askWithKey('/v1/x');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  });
});

describe('every answer', () => {
  it('forbids sniffing, framing and keeping', async () => {
    const { ask } = await openServer();
    for (const path of ['/healthz', '/v1/x', '/v1/%zz']) {
      const { headers } = await ask(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('is JSON also for what is no HTTP', async () => {
    const { url } = await openServer();
    const answer = await raw(url, 'HELO there\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('"VALIDATION_ERROR"');
    expect(await raw(url, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431/,
    );
  });

  it('hides the key from the log', async () => {
    const { askWithKey, lines } = await openServer({ rest: [hello, failing(new Error('x'))] });
    await askWithKey('/v1/hello/you');
    await askWithKey('/v1/fails');
    expect(lines.join('')).not.toContain('the-only-key-there-is');
  });
});
