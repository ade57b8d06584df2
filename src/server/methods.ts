import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pathOf, refuse } from './door.js';
import { httpError } from './http-answer.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type Method = (typeof METHODS)[number];

/** OPTIONS says what a path takes; any other method is refused with the same, before its body is read. */
export function refuseOtherMethods(app: FastifyInstance, path: string, taken: readonly Method[]): void {
  const allow = [...taken, 'OPTIONS'].join(', ');
  const refusal = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('allow', allow);
    if (request.method === 'OPTIONS') return reply.code(204).send();
    const message = `${shown(pathOf(request))} does not take ${request.method}; it takes ${taken.join(', ')}`;
    return refuse(request, reply, httpError('NOT_FOUND', message));
  };
  const method = [...METHODS.filter((name) => !taken.includes(name)), 'OPTIONS'];
  app.route({ method, url: path, onRequest: refusal, handler: refusal });
}

export function refuseUnknownPaths(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) =>
    refuse(request, reply, httpError('NOT_FOUND', `there is nothing at ${shown(pathOf(request))}`)),
  );
}

/** A path as it may stand in an answer: whoever sent a long one knows it already. */
function shown(path: string): string {
  return path.length > 120 ? `${path.slice(0, 120)}…` : path;
}
