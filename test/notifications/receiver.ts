import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ScriptedServer, scriptedServer } from '../sources/scripted-server.js';

export interface Received {
  readonly at: number;
  readonly topic: string;
  readonly delivery: string;
  readonly signature: string;
  readonly body: string;
}

export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

export const takes: Behaviour = (response) => void response.writeHead(204).end();
export const answers =
  (status: number, headers: Record<string, string> = {}, body = ''): Behaviour =>
  (response) =>
    void response.writeHead(status, headers).end(body);
export const hangs: Behaviour = () => {};

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** A real HTTP server that keeps what it is told, whatever it answers. */
export async function receiver(
  now: () => number,
  certificate: 'plain' | 'signed' | 'node' = 'plain',
): Promise<Receiver> {
  const received: Received[] = [];
  let behaviour = takes;
  const header = (request: IncomingMessage, name: string) => String(request.headers[name] ?? '');
  const server: ScriptedServer = await scriptedServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        at: now(),
        topic: header(request, 'x-sankofa-event'),
        delivery: header(request, 'x-sankofa-delivery'),
        signature: header(request, 'x-sankofa-signature'),
        body: Buffer.concat(chunks).toString('utf8'),
      });
      behaviour(response, request);
    });
  }, certificate);
  return {
    url: `${server.url}/hook?for=it`,
    received,
    behave: (next) => {
      behaviour = next;
    },
    close: () => server.close(),
  };
}

export function signed(body: string, key: string): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}
