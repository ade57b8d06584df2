import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refuse } from './door.js';
import { NO_CREDENTIALS } from './http-answer.js';
import { refuseOtherMethods } from './methods.js';
import { mayReadMetrics } from './metrics-guard.js';
import type { ServerOptions } from './options.js';

/** What keeps a gateway running: whether it lives, whether it can answer, and its figures. */
export function serveOperations(app: FastifyInstance, options: ServerOptions, isClosing: () => boolean): void {
  const { telemetry, authenticate, metricsToken } = options;
  const say = reasonsLog(options);

  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/readyz', async (request, reply) => {
    const state = isClosing() ? { ok: false, reasons: ['the gateway is stopping'] } : options.ready();
    say(state.ok ? [] : state.reasons);
    if (state.ok) return { status: 'ready' };
    const known = await authenticate(request.headers).catch(() => undefined);
    reply.code(503).header('retry-after', '1');
    return known === undefined ? { status: 'not ready' } : { status: 'not ready', reasons: state.reasons };
  });

  app.get('/metrics', async (request: FastifyRequest, reply) => {
    if (!mayReadMetrics(request.raw.socket.remoteAddress, request.headers, metricsToken)) {
      return refuse(request, reply, NO_CREDENTIALS);
    }
    const { contentType, text } = await telemetry.exposition();
    return reply.type(contentType).send(text);
  });

  for (const path of ['/healthz', '/readyz', '/metrics']) refuseOtherMethods(app, path, ['GET', 'HEAD']);
}

/** Logs why the gateway is not ready when that changes, not at every probe. */
function reasonsLog({ telemetry }: ServerOptions): (reasons: readonly string[]) => void {
  let said = '';
  return (reasons) => {
    const now = reasons.join('; ');
    if (now === said) return;
    said = now;
    if (now === '') telemetry.log.info('ready');
    else telemetry.log.warn({ reasons }, 'not ready');
  };
}
