import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify';
import { DomainError } from '../domain/errors.js';
import { SECOND } from '../domain/time.js';
import { answerErrors, dress, hangDoor, refuse, refuseThrown, requestId } from './door.js';
import { serveGraphql, serveRest } from './faces.js';
import { BODY_LIMIT, NO_CREDENTIALS } from './http-answer.js';
import { refuseUnknownPaths } from './methods.js';
import { serveOperations } from './operations.js';
import type { RunningServer, ServerOptions } from './options.js';
import { openSockets, type Sockets } from './sockets.js';

/** Opens the doors. Resolves once requests are accepted; rejects where the address cannot be bound. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let closing = false;
  const isClosing = () => closing;
  const app = bareServer(options);
  const sockets = openSockets(app.server, options);
  hangDoor(app, options, isClosing);
  answerErrors(app);
  refuseUnknownPaths(app);
  measure(app, options);
  serveOperations(app, options, isClosing);
  serveGraphql(app, options.graphql);
  serveRest(app, options.rest);
  await listen(app, options);
  let closed: Promise<void> | undefined;
  return {
    url: urlOf(app.server, options),
    close() {
      closing = true;
      closed ??= closeGently(app, sockets, options.closeTimeout ?? 8 * SECOND);
      return closed;
    },
  };
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there already; stop it, or set PORT',
  EACCES: 'this user may not; set PORT to one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; set HOST to one of its own',
  ENOTFOUND: 'there is no host of that name; set HOST',
};

async function listen(app: FastifyInstance, { host, port }: ServerOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const message = `cannot listen on ${host}:${port}: ${WHY_NOT[code] ?? code}`;
    throw new DomainError('UNAVAILABLE', message, { cause });
  }
}

function bareServer(options: ServerOptions): FastifyInstance {
  const settings: FastifyServerOptions = {
    loggerInstance: options.telemetry.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30 * SECOND,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    return503OnClosing: false,
    genReqId: requestId,
    clientErrorHandler: answerUnreadable,
    // A path that cannot be decoded never meets the door's hook: ask here.
    frameworkErrors: (error, request, reply) => {
      dress(request, reply, options);
      options.authenticate(request.headers).then(
        (known) => (known === undefined ? refuse(request, reply, NO_CREDENTIALS) : refuseThrown(error, request, reply)),
        (failed) => refuseThrown(failed, request, reply),
      );
    },
  };
  // Fastify's types tell an https instance from an http one; to the rooms that hang routes on it they are one.
  const app = fastify(options.tls === undefined ? settings : ({ ...settings, https: options.tls } as typeof settings));
  // Only JSON is read: with text/plain a web page elsewhere could post without asking the browser's preflight.
  app.removeContentTypeParser('text/plain');
  return app;
}

/** Bytes that are no HTTP at all. There is no request to speak of, so there is nobody to let in either. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
  const body = JSON.stringify({ error: { code: 'VALIDATION_ERROR', message: 'the request cannot be read' } });
  const head = `HTTP/1.1 ${status} ${text}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}

function measure(app: FastifyInstance, { telemetry }: ServerOptions): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const seen = { method: request.method, route, status: reply.statusCode };
    telemetry.httpAnswered(seen, reply.elapsedTime / 1_000);
    telemetry.log.debug({ ...seen, requestId: request.id, milliseconds: reply.elapsedTime }, 'answered');
  });
}

function urlOf(server: Server, { host, port, tls }: ServerOptions): string {
  const bound = server.address();
  const at = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${at}`;
}

/** Sockets and requests finish side by side; at the deadline what is left is cut off, so that a stop always ends. */
async function closeGently(app: FastifyInstance, sockets: Sockets, timeout: number): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort();
    app.server.closeAllConnections();
  }, timeout);
  try {
    await Promise.all([sockets.close(deadline.signal), app.close()]);
  } finally {
    clearTimeout(timer);
  }
}
