import { z } from 'zod';
import { SCHEMAS, type SchemaName } from './schemas.js';
import { type Parameter, ROUTES, type RouteEntry } from './table.js';

const REFUSALS = {
  400: 'A parameter is wrong; `details.field` names it',
  401: 'No valid key',
  403: 'The key has no permission for this',
  404: 'There is no such thing, or it is not the caller’s to see',
  409: 'Several clusters have the VMID; the message names them',
  429: 'Too many calls; Retry-After says when to come back',
  500: 'It failed on our side',
  503: 'It cannot be answered at the moment; Retry-After says when to come back',
} as const;
type Refusal = keyof typeof REFUSALS;

/** OpenAPI 3.1, made of the route table and the schemas that the code itself is typed by. */
export function openApiDocument(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'sankofa-it-api, legacy REST routes',
      version: '1',
      description:
        'What a Proxmox estate runs, what it should run, and where the two differ. New clients ask /graphql.',
    },
    security: [{ apiKey: [] }, { bearer: [] }],
    paths: Object.fromEntries(Object.values(ROUTES).map((route) => [route.path, { get: operation(route) }])),
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

function operation(route: RouteEntry): object {
  const refusals: readonly Refusal[] = [...route.refusals, 401, 403, 429, 500, 503];
  return {
    operationId: route.operation,
    summary: route.summary,
    parameters: [...pathParameters(route.path), ...route.query.map(queryParameter), IF_NONE_MATCH],
    responses: {
      200: { description: route.summary, headers: { ETag: ETAG }, content: json(route.schema) },
      304: { description: 'The caller has it already', headers: { ETag: ETAG } },
      ...Object.fromEntries(
        refusals.map((status) => [status, { description: REFUSALS[status], content: json('ErrorAnswer') }]),
      ),
    },
  };
}

const ETAG = { description: 'Names this very body', schema: { type: 'string' } };
const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  description: 'ETag of the answer that the caller has',
  schema: { type: 'string' },
};

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]{1,9}$' },
  }));
}

function queryParameter({ name, description, words }: Parameter): object {
  return {
    name,
    in: 'query',
    description,
    schema: { type: 'string', ...(words === undefined ? {} : { enum: words }) },
  };
}

function json(schema: SchemaName): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } };
}

function componentSchemas(): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  // The dialect and the id of each are the document's to say.
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]));
}
