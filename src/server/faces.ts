import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RestRoute } from '../rest/route.js';
import { callerOf } from './door.js';
import { refuseOtherMethods } from './methods.js';
import type { GraphqlRequest, ServerOptions } from './options.js';

export function serveGraphql(app: FastifyInstance, graphql: ServerOptions['graphql']): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const { status, headers, body } = await graphql(graphqlRequest(request), callerOf(request));
    for (const [name, value] of headers) reply.header(name, value);
    reply.code(status);
    return reply.send(typeof body === 'string' || body instanceof Uint8Array ? body : Readable.from(body));
  };
  app.get('/graphql', { exposeHeadRoute: false }, answer);
  app.post('/graphql', answer);
  refuseOtherMethods(app, '/graphql', ['GET', 'POST']);
}

function graphqlRequest(request: FastifyRequest): GraphqlRequest {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const cut = request.url.indexOf('?');
  const search = cut < 0 ? '' : request.url.slice(cut);
  return { method: request.method, headers, body: request.body, search };
}

export function serveRest(app: FastifyInstance, routes: readonly RestRoute[]): void {
  for (const route of routes) {
    app.get(route.path, async (request, reply) => {
      const answer = await route.answer(callerOf(request), {
        params: request.params as Readonly<Record<string, string>>,
        query: request.query as Readonly<Record<string, string | string[]>>,
        ifNoneMatch: request.headers['if-none-match'],
      });
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    });
    refuseOtherMethods(app, route.path, ['GET', 'HEAD']);
  }
}
