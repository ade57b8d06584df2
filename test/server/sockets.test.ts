import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openServer } from './open-server.js';

const PROTOCOL = 'graphql-transport-ws';

function socketTo(url: string, path = '/graphql', protocol = PROTOCOL): WebSocket {
  return new WebSocket(`${url.replace('http', 'ws')}${path}`, protocol);
}

async function closing(socket: WebSocket): Promise<[number, string]> {
  const [code, reason] = await once(socket, 'close');
  return [code, String(reason)];
}

/** The HTTP status with which an upgrade is refused. */
async function refusal(socket: WebSocket): Promise<number | undefined> {
  const [, response] = await once(socket, 'unexpected-response');
  return response.statusCode;
}

describe('a socket on /graphql', () => {
  it('opens without a key, speaks graphql-transport-ws, and is counted while it is open', async () => {
    const { url, ask } = await openServer();
    const socket = socketTo(url);
    await once(socket, 'open');
    expect(socket.protocol).toBe(PROTOCOL);
    expect(socket.extensions).toBe('');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('heard hello');
    expect(await (await ask('/metrics')).text()).toContain('sankofa_websocket_sockets 1');
    socket.close();
    await closing(socket);
  });

  it('is closed when it stays silent, and not when it said something', async () => {
    const { url } = await openServer({ initTimeout: 50 });
    const [silent, talking] = [socketTo(url), socketTo(url)];
    talking.on('open', () => talking.send('x'));
    expect((await closing(silent))[0]).toBe(4408);
    expect(talking.readyState).toBe(WebSocket.OPEN);
    talking.terminate();
  });

  it('is closed with 1009 by a message over 256 KiB, and the gateway lives on', async () => {
    const { url, ask } = await openServer();
    const socket = socketTo(url);
    await once(socket, 'open');
    socket.send('x'.repeat(256 * 1024 + 1));
    expect((await closing(socket))[0]).toBe(1009);
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('is asked to go with 1001 at a stop, and cut off where it does not', async () => {
    const { url, close } = await openServer({ closeTimeout: 200 });
    const [polite, deaf] = [socketTo(url), socketTo(url)];
    await Promise.all([once(polite, 'open'), once(deaf, 'open')]);
    deaf.pause();
    const goodbye = closing(polite);
    await close();
    expect(await goodbye).toEqual([1001, 'the gateway is stopping']);
    deaf.terminate();
  });
});

describe('an upgrade elsewhere', () => {
  it('is 401 without a key and 404 with one', async () => {
    const { url } = await openServer();
    expect(await refusal(socketTo(url, '/v1/summary'))).toBe(401);
    const known = new WebSocket(`${url.replace('http', 'ws')}/nowhere`, PROTOCOL, {
      headers: { 'x-api-key': 'the-only-key-there-is' },
    });
    expect(await refusal(known)).toBe(404);
  });
});
