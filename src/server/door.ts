import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../domain/access.js';
import { errorBody, errorFor, type HttpError, httpError, NO_CREDENTIALS } from './http-answer.js';
import type { ServerOptions } from './options.js';

/** Answered without a key. /metrics has a guard of its own. */
const PUBLIC = new Set(['/healthz', '/readyz', '/metrics']);

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'permissions-policy': 'interest-cohort=()',
};

const callers = new WeakMap<FastifyRequest, Principal>();

/** Who is calling, for a route behind the door. */
export function callerOf(request: FastifyRequest): Principal {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error(`${request.url} was reached without passing the door`);
  return caller;
}

/** Every request passes here before its route, its body or even its 404: nobody learns which paths exist. */
export function hangDoor(app: FastifyInstance, options: ServerOptions, isClosing: () => boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    dress(request, reply, options);
    if (PUBLIC.has(pathOf(request))) return;
    if (isClosing()) return refuse(request, reply, httpError('UNAVAILABLE', 'the gateway is stopping'));
    const caller = await options.authenticate(request.headers);
    if (caller === undefined) return refuse(request, reply, NO_CREDENTIALS);
    callers.set(request, caller);
  });
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing()) reply.header('connection', 'close');
  });
}

/** The headers of every answer. A face may say otherwise about keeping its own. */
export function dress(request: FastifyRequest, reply: FastifyReply, { tls }: Pick<ServerOptions, 'tls'>): void {
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id).header('cache-control', 'no-store');
  if (tls !== undefined) reply.header('strict-transport-security', 'max-age=31536000');
}

export function refuse(request: FastifyRequest, reply: FastifyReply, error: HttpError): FastifyReply {
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter));
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .send(errorBody(pathOf(request), error));
}

/** Answers what was thrown, and logs what somebody must look at. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => refuseThrown(thrown, request, reply));
}

export function refuseThrown(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = errorFor(thrown, request.id);
  if (error.status === 500) request.log.error({ err: thrown, requestId: request.id }, 'a request failed');
  if (error.status === 503) request.log.warn({ err: thrown, requestId: request.id }, 'a request could not be served');
  return refuse(request, reply, error);
}

export function pathOf(request: FastifyRequest): string {
  const cut = request.url.indexOf('?');
  return cut < 0 ? request.url : request.url.slice(0, cut);
}

/** The caller's own id where it is fit for a log line, so that her log and ours can be laid side by side. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{8,64}$/.test(given) ? given : randomUUID();
}
