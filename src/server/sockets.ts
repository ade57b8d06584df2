import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SECOND } from '../domain/time.js';
import type { ServerOptions } from './options.js';

const PROTOCOL = 'graphql-transport-ws';
const LARGEST_MESSAGE = 256 * 1024;
/** One process serves 10,000 subscribers; beyond twice that the next ones are better off at another replica. */
const MOST_SOCKETS = 20_000;
const GOING_AWAY = 1001;
/** graphql-transport-ws: "Connection initialisation timeout". */
const SAID_NOTHING = 4408;

export interface Sockets {
  /** Takes no more, asks each open one to go (1001), and cuts off what has not gone when `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

/** The WebSocket side of /graphql. An upgrade needs no key: browsers cannot send one before connection_init. */
export function openSockets(server: Server, options: ServerOptions): Sockets {
  const { telemetry, websocket, initTimeout = 5 * SECOND } = options;
  const ws = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  let closing = false;

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    refusalOf(request, options, closing || ws.clients.size >= MOST_SOCKETS).then(
      (status) => {
        if (status !== undefined) return refuseUpgrade(socket, status);
        ws.handleUpgrade(request, socket, head, (accepted) => accept(accepted, request));
      },
      () => refuseUpgrade(socket, 503),
    );
  };

  const accept = (socket: WebSocket, request: IncomingMessage) => {
    telemetry.socketOpened();
    socket.on('close', () => telemetry.socketClosed());
    // ws closes the socket itself (1002, 1007, 1009); without a listener the error would end the process.
    socket.on('error', (err) => telemetry.log.debug({ err }, 'a socket failed'));
    closeIfSilent(socket, initTimeout);
    websocket(socket, request);
  };

  server.on('upgrade', upgrade);
  return {
    close(signal) {
      closing = true;
      return closeAll(ws, signal);
    },
  };
}

/** The HTTP status with which an upgrade is refused; undefined: it is welcome. */
async function refusalOf(request: IncomingMessage, options: ServerOptions, full: boolean): Promise<number | undefined> {
  const path = request.url?.split('?')[0];
  if (path === '/graphql') return full ? 503 : undefined;
  return (await options.authenticate(request.headers)) === undefined ? 401 : 404;
}

function refuseUpgrade(socket: Duplex, status: number): void {
  const close = 'Connection: close\r\nContent-Length: 0\r\n\r\n';
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${close}`);
}

/** A socket that never says a word would hold its place for ever. */
function closeIfSilent(socket: WebSocket, after: number): void {
  const timer = setTimeout(() => socket.close(SAID_NOTHING, 'Connection initialisation timeout'), after);
  socket.once('message', () => clearTimeout(timer));
  socket.once('close', () => clearTimeout(timer));
}

async function closeAll(ws: WebSocketServer, signal: AbortSignal): Promise<void> {
  const open = [...ws.clients];
  const gone = Promise.all(open.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  const cut = () => {
    for (const socket of open) socket.terminate();
  };
  signal.addEventListener('abort', cut, { once: true });
  for (const socket of open) socket.close(GOING_AWAY, 'the gateway is stopping');
  await gone;
  signal.removeEventListener('abort', cut);
  ws.close();
}
