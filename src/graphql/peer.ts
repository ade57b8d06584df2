import { CloseCode, type makeServer } from 'graphql-ws';
import type { WebSocket } from 'ws';

/** How often a silent peer is asked for a sign, ms. */
const KEEP_ALIVE = 12_000;

/** Resolves once written, so that a slow reader slows its own stream. */
export function sent(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    // A socket that fails while written to closes by itself; there is nobody left to tell.
    socket.send(text, () => resolve());
  });
}

/** The socket as the protocol core wants it. */
export function peer(
  socket: WebSocket,
  failed: (cause: unknown) => void,
): Parameters<ReturnType<typeof makeServer>['opened']>[0] {
  return {
    protocol: socket.protocol,
    send: (text) => sent(socket, text),
    close: (code, reason) => socket.close(code, reason),
    onMessage: (take) =>
      socket.on('message', (bytes) => {
        take(String(bytes)).catch((cause: unknown) => {
          failed(cause);
          socket.close(CloseCode.InternalServerError, 'Internal server error');
        });
      }),
  };
}

/** Ends a peer that gives no sign of life: a half-open connection would keep its stream for ever. */
export function pinged(socket: WebSocket): () => void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, KEEP_ALIVE);
  timer.unref();
  return () => clearInterval(timer);
}
