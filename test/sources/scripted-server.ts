import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';

const tls = (file: string) => readFileSync(join(import.meta.dirname, '../fixtures/tls', file), 'utf8');

/** Certificates for 127.0.0.1: two that sign themselves, one of the test CA, one of it that ended in 2001. */
export const certificates = {
  node: { cert: tls('node.crt'), key: tls('node.key') },
  other: { cert: tls('other.crt'), key: tls('other.key') },
  signed: { cert: tls('signed.crt'), key: tls('signed.key') },
  expired: { cert: tls('expired.crt'), key: tls('signed.key') },
} as const;

export const testCa = tls('ca.crt');

export function sha256Of(name: keyof typeof certificates): string {
  return new X509Certificate(certificates[name].cert).fingerprint256.toLowerCase().replaceAll(':', '');
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  /** Path and query of each request that came, in order. */
  readonly seen: string[];
  readonly headers: IncomingMessage['headers'][];
  /** The most requests that were open at once. */
  readonly peak: () => number;
  /** Requests whose peer went away before they were answered. */
  readonly dropped: () => number;
  close(): Promise<void>;
}

/** A real HTTPS server on the loopback that answers as the handler says; with `plain`, HTTP. */
export async function scriptedServer(
  handler: Handler,
  certificate: keyof typeof certificates | 'plain' = 'node',
): Promise<ScriptedServer> {
  const seen: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let open = 0;
  let peak = 0;
  let dropped = 0;
  const serve: Handler = (request, response) => {
    seen.push(request.url ?? '');
    headers.push(request.headers);
    open += 1;
    peak = Math.max(peak, open);
    response.on('close', () => {
      open -= 1;
      if (!response.writableFinished) dropped += 1;
    });
    handler(request, response);
  };
  const server: Server =
    certificate === 'plain'
      ? createPlain(serve)
      : (createServer(certificates[certificate], serve) as unknown as Server);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const scheme = certificate === 'plain' ? 'http' : 'https';
  return {
    ...{ url: `${scheme}://127.0.0.1:${port}`, port, seen, headers },
    ...{ peak: () => peak, dropped: () => dropped },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** What is said where nobody listens. */
export const NOBODY = 'connection refused: nothing listens there; is it running, and is the port right?';

/** What is said of an answer that a proxy gave in the peer's place, behind status and reason. */
export const DOOR = {
  502: 'from a proxy in front of it and not from itself: is it running, and does the proxy lead to it?',
  503: 'from a proxy in front of it or from itself: is it starting, down or overloaded?',
  504: 'from a proxy in front of it that waited for it in vain: does it hang?',
} as const;

/** A port on the loopback where nobody listens. */
export async function deadPort(): Promise<number> {
  const server = await scriptedServer(() => {}, 'plain');
  await server.close();
  return server.port;
}

export function json(response: ServerResponse, body: unknown, status = 200, reason = 'OK'): void {
  response.writeHead(status, reason, { 'content-type': 'application/json;charset=UTF-8' });
  response.end(JSON.stringify(body));
}
