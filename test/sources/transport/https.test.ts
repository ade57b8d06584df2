import { setMaxListeners } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { TlsPin } from '../../../src/domain/settings.js';
import {
  type HttpsClient,
  type HttpsLimits,
  type HttpsRequest,
  httpsClient,
} from '../../../src/sources/transport/https.js';
import { TransportError } from '../../../src/sources/transport/transport-error.js';
import {
  deadPort,
  type Handler,
  json,
  NOBODY,
  type ScriptedServer,
  scriptedServer,
  sha256Of,
  testCa,
} from '../scripted-server.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function server(handler: Handler, certificate?: Parameters<typeof scriptedServer>[1]): Promise<ScriptedServer> {
  const started = await scriptedServer(handler, certificate);
  open.push(started);
  return started;
}

const pinned = (...sha256: string[]): TlsPin => ({ kind: 'fingerprint', sha256 });
const node = pinned(sha256Of('node'));
const quick: Partial<HttpsLimits> = { backOffMs: 2 };

function client(urls: readonly string[], tls: TlsPin = node, limits: Partial<HttpsLimits> = quick): HttpsClient {
  const made = httpsClient({
    urls,
    tls,
    headers: () => ({ authorization: 'secret' }),
    limits: { ...quick, ...limits },
  });
  open.push(made);
  return made;
}

const never = new AbortController().signal;
setMaxListeners(0, never);
const get = (of: HttpsClient, more: Partial<HttpsRequest> = {}) => of.ask({ path: '/x', signal: never, ...more });
const failure = (of: HttpsClient, more?: Partial<HttpsRequest>) =>
  get(of, more).then(
    () => 'answered',
    (thrown: unknown) => (thrown instanceof TransportError ? thrown : Promise.reject(thrown)),
  );
const ok: Handler = (_, response) => json(response, { data: 'ok' });

describe('a pinned peer', () => {
  it('answers when its certificate is one of those pinned, though it signed it itself', async () => {
    const peer = await server(ok);
    const answer = await get(client([peer.url], pinned('00'.repeat(32), sha256Of('node'))));
    expect(answer).toMatchObject({ url: peer.url, status: 200, reason: 'OK', body: '{"data":"ok"}' });
  });

  it('with another certificate sees no byte of the request, and the message says the fingerprint it showed', async () => {
    const peer = await server(ok, 'other');
    const thrown = await failure(client([peer.url]));
    expect(thrown).toMatchObject({ setback: 'tls' });
    const shown = sha256Of('other')
      .toUpperCase()
      .replace(/(..)(?!$)/g, '$1:');
    expect(String(thrown)).toContain(`SHA-256 fingerprint ${shown}, which is not pinned; nothing was sent`);
    expect(peer.seen).toEqual([]);
  });

  it('with another certificate that has also expired says both', async () => {
    const [old, other] = [await server(ok, 'expired'), await server(ok, 'other')];
    const said = String(await failure(client([old.url])));
    expect(said).toContain('is not pinned; nothing was sent. It has also expired (');
    expect(said).toContain('2001 GMT)');
    expect(String(await failure(client([other.url])))).not.toContain('expired');
    expect(old.seen).toEqual([]);
  });

  it('shows its certificate on each connection, also when the session could be resumed', async () => {
    const peer = await server((_, response) => {
      response.setHeader('connection', 'close');
      json(response, {});
    });
    const asking = client([peer.url]);
    for (let i = 0; i < 3; i++) expect((await get(asking)).status).toBe(200);
  });

  it('that speaks no TLS is refused', async () => {
    const peer = await server(ok, 'plain');
    expect(await failure(client([`https://127.0.0.1:${peer.port}`]))).toMatchObject({ setback: 'tls' });
    expect(peer.seen).toEqual([]);
  });

  it('is asked over plain http only where the URL says so', async () => {
    const peer = await server(ok, 'plain');
    expect((await get(client([peer.url]))).status).toBe(200);
  });

  it('that wants TLS is suspected where plain http breaks off', async () => {
    const peer = await server(ok);
    const said = await failure(client([peer.url.replace('https', 'http')]));
    expect(String(said)).toMatch(/is it restarting\? Or does this port want https\?$/);
    expect(peer.seen).toEqual([]);
  });
});

describe('a peer known by its CA', () => {
  const ca: TlsPin = { kind: 'ca', pem: testCa };

  it('answers under the name in its certificate', async () => {
    const peer = await server(ok, 'signed');
    expect((await get(client([peer.url], ca))).status).toBe(200);
  });

  it('is refused under another name, of another CA, expired, or with a certificate of its own', async () => {
    const signed = await server(ok, 'signed');
    const renamed = await failure(client([`https://localhost:${signed.port}`], ca));
    expect(renamed).toMatchObject({ setback: 'tls' });
    expect(String(renamed)).toContain('not made out for this host name');
    const expired = await server(ok, 'expired');
    expect(String(await failure(client([expired.url], ca)))).toContain('the certificate has expired');
    const own = await server(ok);
    expect(String(await failure(client([own.url], ca)))).toContain('self-signed');
    expect(String(await failure(client([signed.url], { kind: 'system' })))).toContain('not trusted here');
    expect([...signed.seen, ...expired.seen, ...own.seen]).toEqual([]);
  });
});

describe('several URLs', () => {
  it('are tried in order, and the one that answered is asked first from then on', async () => {
    const dead = `https://127.0.0.1:${await deadPort()}`;
    const stranger = await server(ok, 'other');
    const good = await server(ok);
    const asking = client([dead, stranger.url, good.url]);
    expect((await get(asking)).url).toBe(good.url);
    expect([...asking.setbacks().keys()]).toEqual([dead, stranger.url]);
    let attempts = 0;
    await get(asking, { onAttempt: () => (attempts += 1) });
    expect(attempts).toBe(1);
  });

  it('are left for the next when the door answers 502 to 504', async () => {
    const busy = await server((_, response) => json(response, {}, 503, 'Service Unavailable'));
    const good = await server(ok);
    expect((await get(client([busy.url, good.url]))).url).toBe(good.url);
  });

  it('are left for the next when what answers is not what was meant', async () => {
    const page = await server((_, response) => response.end('<html>'));
    const good = await server(ok);
    const unfit = ({ body }: { body: string }) => (body.startsWith('<') ? 'an HTML page' : undefined);
    expect((await get(client([page.url, good.url]), { unfit })).url).toBe(good.url);
  });

  it('are left for the next when silent only where the caller wants so', async () => {
    const silent = await server(() => {});
    const good = await server(ok);
    const asking = client([silent.url, good.url]);
    expect(await failure(asking, { headersMs: 50 })).toMatchObject({ setback: 'timeout' });
    expect((await get(asking, { headersMs: 50, onSilence: 'next-url' })).url).toBe(good.url);
  });

  it('are all named when none answers', async () => {
    const dead = [await deadPort(), await deadPort()].map((port) => `https://127.0.0.1:${port}`);
    expect(String(await failure(client(dead)))).toContain(dead.map((url) => `${url}: ${NOBODY}`).join('; '));
  });
});

describe('a request', () => {
  it('is repeated after a broken connection and after 502 to 504, and after nothing else', async () => {
    let count = 0;
    const peer = await server((request, response) => {
      count += 1;
      if (count === 1) request.socket.destroy();
      else if (count === 2) json(response, {}, 502, 'Bad Gateway');
      else json(response, { count });
    });
    let attempts = 0;
    expect((await get(client([peer.url]), { onAttempt: () => (attempts += 1) })).body).toBe('{"count":3}');
    expect(attempts).toBe(3);
    const failing = await server((_, response) => json(response, {}, 500, 'no'));
    expect((await get(client([failing.url]))).status).toBe(500);
    expect(failing.seen).toHaveLength(1);
  });

  it('is repeated no more once the budget is spent', async () => {
    const peer = await server((request) => request.socket.destroy());
    const asking = client([peer.url], node, { retries: 2, retryBudget: 3 });
    for (let i = 0; i < 4; i++)
      expect(await failure(asking)).toMatchObject({
        ...{ setback: 'cut', message: expect.stringContaining('closed it before the answer was whole') },
      });
    expect(peer.seen).toHaveLength(4 + 3);
  });

  it('keeps the reason phrase of the answer', async () => {
    const words = 'Permission check failed (/vms/101, VM.Audit)';
    const peer = await server((_, response) => json(response, { data: null }, 403, words));
    expect(await get(client([peer.url]))).toMatchObject({ status: 403, reason: words });
  });

  it('fails when the headers, the body or the whole take too long', async () => {
    const silent = await server(() => {});
    expect(await failure(client([silent.url]), { headersMs: 30 })).toMatchObject({
      ...{ setback: 'timeout', message: expect.stringContaining(`${silent.url}: no answer within 0.03 s`) },
    });
    const stalling = await server((_, response) => response.write('{'));
    expect(await failure(client([stalling.url], node, { bodyMs: 30 }))).toMatchObject({
      ...{ setback: 'timeout', message: expect.stringContaining('nothing came for 0.03 s') },
    });
    expect(await failure(client([silent.url], node, { attemptMs: 30 }))).toMatchObject({ setback: 'timeout' });
  });

  it('fails when the body drips for longer than the whole may take', async () => {
    const dripping = await server((_, response) => {
      const drip = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(drip));
    });
    const asking = client([dripping.url], node, { attemptMs: 200, bodyMs: 5_000 });
    expect(await failure(asking)).toMatchObject({
      setback: 'timeout',
      message: expect.stringContaining('no whole answer within 0.2 s'),
    });
  });

  it('takes the body whole: over several pieces, cut within a letter, without a byte order mark', async () => {
    const bytes = Buffer.from('\ufeff{"data":"Bär 🐻"}');
    const peer = await server((_, response) => {
      for (const byte of bytes) response.write(Uint8Array.of(byte));
      response.end();
    });
    expect((await get(client([peer.url]))).body).toBe('{"data":"Bär 🐻"}');
    const empty = await server((_, response) => response.writeHead(204).end());
    expect(await get(client([empty.url]))).toMatchObject({ status: 204, body: '' });
  });

  it('takes the answer, and not what only announces it', async () => {
    const peer = await server((_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      json(response, { data: 'ok' });
    });
    expect(await get(client([peer.url]))).toMatchObject({ status: 200, body: '{"data":"ok"}' });
  });

  it('fails when nobody takes the connection in time, and can be cancelled before', async () => {
    const taken: Socket[] = [];
    const mute = createServer((socket) => taken.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    open.push({
      close: () => {
        for (const socket of taken) socket.destroy();
        return new Promise((resolve) => mute.close(() => resolve()));
      },
    });
    const { port } = mute.address() as { port: number };
    const url = `https://127.0.0.1:${port}`;
    expect(await failure(client([url], node, { connectMs: 30 }))).toMatchObject({
      ...{ setback: 'connect-timeout', message: expect.stringContaining('no connection within 0.03 s') },
    });
    const cancelled = get(client([url], node, { connectMs: 60_000 }), { signal: AbortSignal.timeout(30) });
    await expect(cancelled).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('fails when the answer breaks off or is larger than allowed', async () => {
    const cut = await server((request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{"data":');
      setTimeout(() => request.socket.destroy(), 10);
    });
    expect(await failure(client([cut.url], node, { retries: 0 }))).toMatchObject({ setback: 'cut' });
    const large = await server((_, response) => response.end('x'.repeat(5000)));
    expect(await failure(client([large.url], node, { maxBodyBytes: 1000 }))).toMatchObject({ setback: 'too-large' });
  });

  it('can be cancelled on the way and while it waits for its turn, and says why', async () => {
    const silent = await server(() => {});
    const asking = client([silent.url], node, { concurrency: 1 });
    const cancel = new AbortController();
    const both = [get(asking, { signal: cancel.signal }), get(asking, { signal: cancel.signal })];
    setTimeout(() => cancel.abort(new Error('shutting down')), 50);
    const results = await Promise.allSettled(both);
    expect(results.map((result) => result.status === 'rejected' && String(result.reason))).toEqual([
      'Error: shutting down',
      'Error: shutting down',
    ]);
    expect(silent.seen).toHaveLength(1);
    const answering = await server(ok);
    expect((await get(client([answering.url]))).status).toBe(200);
  });

  it('waits for its turn: no more are under way than the limit', async () => {
    const peer = await server((_, response) => setTimeout(() => json(response, {}), 5));
    const asking = client([peer.url], node, { concurrency: 3 });
    await Promise.all(Array.from({ length: 20 }, () => get(asking)));
    expect(peer.seen).toHaveLength(20);
    expect(peer.peak()).toBe(3);
  });

  it('never shows its headers in an error', async () => {
    const peer = await server((request) => request.socket.destroy());
    const thrown = await failure(client([peer.url], node, { retries: 0 }));
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain('secret');
  });
});
