import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { restFacts } from '../../src/inventory/rest-facts.js';
import { restRoutes } from '../../src/rest/routes.js';
import { ROUTES } from '../../src/rest/table.js';
import { inventoryOver } from '../testkit/inventory.js';
import { anEstate, NOW, openRest } from './estate.js';

type Json = { readonly [key: string]: Json };

/** The document as a client gets it, its own objects closed: a field that it does not name is then a failure. */
async function servedDocument() {
  const { json, askWithKey } = await openRest();
  const document = (await json('/v1/openapi.json')) as Json;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(closed(document) as object, 'document');
  return { document, ajv, askWithKey };
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in copy && copy.type === 'object' && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

function pointer(...keys: string[]): string {
  return keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
}

describe('the OpenAPI document', () => {
  it('names every route that is served, and no other', async () => {
    const { document } = await servedDocument();
    const facts = restFacts({ view: anEstate, now: () => NOW });
    const served = restRoutes({ inventory: inventoryOver(anEstate), facts }).map(({ path }) =>
      path.replace(/:(\w+)/g, '{$1}'),
    );
    expect(Object.keys(document.paths ?? {}).sort()).toEqual(served.sort());
    expect(document.openapi).toBe('3.1.0');
  });

  it.each(Object.values(ROUTES).map(({ path }) => path))('describes what %s answers', async (path) => {
    const { ajv, askWithKey } = await servedDocument();
    const answer = await askWithKey(path.replace('{vmid}', '101'));
    const at = pointer('paths', path, 'get', 'responses', '200', 'content', 'application/json', 'schema');
    const validate = ajv.getSchema(`document#/${at}`);
    expect(validate?.(await answer.json()), JSON.stringify(validate?.errors)).toBe(true);
  });

  it.each([
    ['/v1/inventory/guests/100', 409],
    ['/v1/inventory/guests/4711', 404],
    ['/v1/inventory/guests?status=x', 400],
  ])('describes how %s refuses', async (path, status) => {
    const { ajv, document, askWithKey } = await servedDocument();
    const answer = await askWithKey(path);
    expect(answer.status).toBe(status);
    const route = path.split('?')[0]?.replace(/\d+$/, '{vmid}') ?? '';
    expect(document.paths?.[route]?.get?.responses).toHaveProperty(String(status));
    const validate = ajv.getSchema('document#/components/schemas/ErrorAnswer');
    expect(validate?.(await answer.json()), JSON.stringify(validate?.errors)).toBe(true);
  });

  it('fails an answer that says more, or less', async () => {
    const { ajv } = await servedDocument();
    const validate = ajv.getSchema('document#/components/schemas/Nodes');
    const good = { collected_at: null, stale: true, seed_unreachable: true, notes: [], nodes: [] };
    expect(validate?.(good)).toBe(true);
    expect(validate?.({ ...good, more: 1 })).toBe(false);
    expect(validate?.({ ...good, stale: undefined, nodes: [{}] })).toBe(false);
  });

  it('points at nothing that is not there', async () => {
    const { document } = await servedDocument();
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    const components = document.components as { schemas: Record<string, unknown> };
    expect(names.filter((name) => name === undefined || !(name in components.schemas))).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
  });
});
