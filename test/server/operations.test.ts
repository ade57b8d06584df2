import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/settings.js';
import { mayReadMetrics } from '../../src/server/metrics-guard.js';
import { openServer } from './open-server.js';

describe('/readyz', () => {
  it('is bare for strangers, tells a caller with a key why not, and the log once', async () => {
    const reasons = ['the database does not answer'];
    const { ask, askWithKey, lines } = await openServer({ ready: () => ({ ok: false, reasons }) });
    const bare = await ask('/readyz');
    expect([bare.status, await bare.json()]).toEqual([503, { status: 'not ready' }]);
    const told = await askWithKey('/readyz');
    expect([told.status, await told.json()]).toEqual([503, { status: 'not ready', reasons }]);
    expect(lines.filter((line) => line.includes('not ready'))).toHaveLength(1);
  });

  it('answers also while keys cannot be looked up', async () => {
    const { ask } = await openServer({
      ready: () => ({ ok: false, reasons: ['x'] }),
      authenticate: () => Promise.reject(new Error('down')),
    });
    expect((await ask('/readyz')).status).toBe(503);
    expect((await ask('/healthz')).status).toBe(200);
  });
});

describe('/metrics', () => {
  const token = new Secret('scrape-me-please');
  const bearer = { authorization: 'Bearer scrape-me-please' };
  const table: [string, string, Record<string, string>, Secret | undefined, boolean][] = [
    ['a local peer', '127.0.0.1', {}, undefined, true],
    ['any address of the loopback', '127.8.0.1', {}, undefined, true],
    ['a local peer over IPv6', '::1', {}, undefined, true],
    ['a local peer over mapped IPv4', '::ffff:127.0.0.1', {}, undefined, true],
    ['a local peer also where a token is set', '127.0.0.1', {}, token, true],
    ['a local proxy (Forwarded)', '127.0.0.1', { forwarded: 'for=10.0.0.9' }, undefined, false],
    ['a local proxy (X-Forwarded-For)', '127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }, undefined, false],
    ['a local proxy (X-Forwarded-Anything)', '127.0.0.1', { 'x-forwarded-port': '' }, undefined, false],
    ['a local proxy with the token', '127.0.0.1', { ...bearer, forwarded: 'for=x' }, token, true],
    ['a stranger', '10.0.0.9', {}, undefined, false],
    ['a mapped stranger', '::ffff:10.0.0.9', {}, undefined, false],
    ['a stranger with the token', '10.0.0.9', bearer, token, true],
    ['a stranger with another token', '10.0.0.9', { authorization: 'Bearer nope' }, token, false],
    ['a stranger with a token where none is set', '10.0.0.9', { authorization: 'Bearer undefined' }, undefined, false],
    ['a peer that is gone', '', {}, undefined, false],
  ];
  it.each(table)('for %s', (_, peer, headers, metricsToken, open) => {
    expect(mayReadMetrics(peer === '' ? undefined : peer, headers, metricsToken)).toBe(open);
  });

  it('are the figures of this process and ours, and 401 behind a proxy', async () => {
    const { ask, askWithKey } = await openServer();
    await askWithKey('/nothing/here');
    const answer = await ask('/metrics');
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('process_cpu_user_seconds_total');
    expect(text).toContain('sankofa_http_request_seconds_count{method="GET",route="none",status="404"} 1');
    expect((await ask('/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(401);
    expect((await askWithKey('/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(401);
  });
});

describe('a start', () => {
  it('that finds its port taken says so, and what to do', async () => {
    const { url } = await openServer();
    const port = Number(new URL(url).port);
    await expect(openServer({ port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: something else listens there already; stop it, or set PORT`,
    );
    await expect(openServer({ host: '192.0.2.1' })).rejects.toThrow(/set HOST to one of its own/);
  });
});

describe('a stop', () => {
  it('answers the open request, takes no new one, and ends', async () => {
    let finish: (() => void) | undefined;
    const started = new Promise<void>((began) => {
      finish = began;
    });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { askWithKey, close, url } = await openServer({
      graphql: async () => {
        finish?.();
        await held;
        return { status: 200, headers: [], body: 'done' };
      },
    });
    const open = askWithKey('/graphql?query=x');
    await started;
    const closed = close();
    const late = await connectionRefused(url);
    release();
    expect(await (await open).text()).toBe('done');
    expect(late).toBe(true);
    await closed;
    await close();
  });

  it('cuts off a request that never ends', async () => {
    const { askWithKey, close } = await openServer({ graphql: () => new Promise(() => undefined), closeTimeout: 100 });
    const open = askWithKey('/graphql?query=x').then(
      () => 'answered',
      () => 'cut off',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    await close();
    expect(await open).toBe('cut off');
  });
});

function connectionRefused(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    request(`${url}/healthz`, { agent: false }, () => resolve(false))
      .on('error', () => resolve(true))
      .end();
  });
}
