import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Principal } from '../../src/domain/access.js';
import type { Verbs } from '../../src/graphql/context.js';
import { createGraphql, type GraphqlFace, type GraphqlNeeds } from '../../src/graphql/graphql.js';
import { inventoryOver } from './inventory.js';
import { caller } from './principal.js';
import { aView } from './view.js';

function never(): never {
  throw new Error('this test does not ask for it');
}

/** The verbs behind a face: an empty estate, and nothing else, unless a test says so. */
export function verbsWith(more: Partial<Verbs>): Verbs {
  return {
    inventory: inventoryOver(aView({})),
    feed: { driftEvents: never, inventoryEvents: never, changeRequestEvents: never },
    drift: { acknowledge: never, suppress: never, reopen: never },
    accounts: { apiKeyCreate: never, apiKeyRevoke: never },
    collection: { run: never, confirmDeclared: never, events: never },
    notifications: { targets: never, deadLetters: never, replay: never, test: never },
    ...more,
  };
}

export interface TestFace extends GraphqlFace {
  readonly logged: unknown[];
}

export async function faceWith(verbs: Partial<Verbs>, more: Partial<GraphqlNeeds> = {}): Promise<TestFace> {
  const logged: unknown[] = [];
  const face = await createGraphql({
    verbs: verbsWith(verbs),
    authenticate: async () => caller(),
    stillHolds: async () => true,
    onKeysChanged: () => () => {},
    log: { error: (fields) => logged.push(fields.cause) },
    ...more,
  });
  return { ...face, logged };
}

export interface Answer {
  readonly status: number;
  readonly data: Record<string, unknown> | null | undefined;
  readonly errors: readonly { message: string; path?: unknown; extensions: Record<string, unknown> }[] | undefined;
}

/** Posts one operation. */
export async function ask(
  face: GraphqlFace,
  query: string,
  variables: Record<string, unknown> = {},
  principal: Principal = caller(),
): Promise<Answer> {
  const answer = await face.handle(
    {
      method: 'POST',
      headers: new Map([['content-type', 'application/json']]),
      body: { query, variables },
      search: '',
    },
    principal,
  );
  if (typeof answer.body !== 'string') throw new Error('a streamed answer');
  return { status: answer.status, ...JSON.parse(answer.body) };
}

/** A real server on the loopback that lets everybody in as an admin. */
export async function served(face: GraphqlFace): Promise<{ url: string; wsUrl: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const);
      const cut = request.url?.indexOf('?') ?? -1;
      const answer = await face.handle(
        {
          method: request.method ?? 'GET',
          headers,
          body: parsed(text),
          search: cut < 0 ? '' : (request.url?.slice(cut) ?? ''),
        },
        caller(),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(typeof answer.body === 'string' ? answer.body : undefined);
    });
  });
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
  sockets.on('connection', (socket, request) => face.handleSocket(socket, request));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    wsUrl: `ws://127.0.0.1:${port}/graphql`,
    async close() {
      await face.stop();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
