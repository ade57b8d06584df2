import { once } from 'node:events';
import { WebSocket } from 'ws';

/** What a process of subscribers is told: whose keys to connect with, how many sockets each, and where to begin. */
export interface Crowd {
  readonly url: string;
  readonly keys: readonly string[];
  readonly socketsPerKey: number;
  readonly after: string;
}

/** Sent when the last of them has been told of an event. `at`: the machine's steady clock, ns. */
export interface Told {
  readonly at: string;
  readonly bytes: number;
}

const QUERY = `subscription ($after: String) {
  driftEvents(after: $after) {
    cursor type at declared observed
    finding { id kind severity state message guest { id name status node { name } } }
  }
}`;
const AT_ONCE = 100;

let told = 0;
let size = 0;
let sockets = 0;

function heard(bytes: Buffer): void {
  told += 1;
  size = bytes.length;
  // One message an event and socket: the last of them makes the round whole.
  if (told % sockets === 0) process.send?.({ at: String(process.hrtime.bigint()), bytes: size } satisfies Told);
}

async function subscribe({ url, after }: Crowd, key: string): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  socket.on('error', fail);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { 'x-api-key': key } }));
  await once(socket, 'message');
  socket.on('message', (bytes: Buffer) => heard(bytes));
  socket.on('close', (code, reason) => fail(new Error(`a socket was closed with ${code} ${reason}`)));
  socket.send(
    JSON.stringify({ id: String(sockets), type: 'subscribe', payload: { query: QUERY, variables: { after } } }),
  );
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

async function gather(crowd: Crowd): Promise<void> {
  sockets = crowd.keys.length * crowd.socketsPerKey;
  const wanted = crowd.keys.flatMap((key) => Array.from({ length: crowd.socketsPerKey }, () => key));
  const next = async () => {
    for (let key = wanted.pop(); key !== undefined; key = wanted.pop()) await subscribe(crowd, key);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  process.send?.({ sockets });
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: Crowd | 'told') => {
  if (order === 'told') process.send?.({ told });
  else gather(order).catch(fail);
});
