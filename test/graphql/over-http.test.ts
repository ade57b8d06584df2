import { parse } from 'graphql';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledOperations } from '../../src/graphql/jit.js';
import { gatewaySchema } from '../../src/graphql/schema.js';
import { faceWith, served } from '../testkit/graphql.js';

let url: string;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ url, close } = await served(await faceWith({})));
});
afterAll(() => close());

describe('GraphQL over HTTP', () => {
  it('is served as its specification wants it', async () => {
    const audits = serverAudits({ url, fetchFn: fetch });
    const results = [];
    for (const audit of audits) results.push(await audit.fn());
    const failed = results.filter((result) => result.status === 'error' || result.status === 'warn');
    expect(failed.map((result) => `${result.id} ${result.name}: ${'reason' in result ? result.reason : ''}`)).toEqual(
      [],
    );
    expect(results).toHaveLength(audits.length);
  });

  it('refuses what a foreign page could make a browser send', async () => {
    const answer = await fetch(`${url}?query=${encodeURIComponent('{ viewer { id } }')}`);
    expect(answer.status).toBe(400);
    const preflighted = await fetch(`${url}?query=${encodeURIComponent('{ viewer { id } }')}`, {
      headers: { 'apollo-require-preflight': '1' },
    });
    expect(await preflighted.json()).toEqual({ data: { viewer: { id: 'key:test' } } });
  });

  it('refuses mutations by GET', async () => {
    const query = encodeURIComponent('mutation { apiKeyRevoke(input: { id: "1" }) { apiKey { id } } }');
    const answer = await fetch(`${url}?query=${query}`, { headers: { 'apollo-require-preflight': '1' } });
    expect(answer.status).toBe(405);
  });
});

describe('compiled operations', () => {
  const schema = gatewaySchema();

  it('are compiled when they come again, by document and operation name', () => {
    const operations = new CompiledOperations(schema);
    const document = parse('query A { viewer { id } } query B { viewer { name } }');
    expect(operations.find(document, 'A')).toBeUndefined();
    expect(operations.find(document, 'B')).toBeUndefined();
    const [a, b] = [operations.find(document, 'A'), operations.find(document, 'B')];
    expect(a).toBeTypeOf('function');
    expect(b).toBeTypeOf('function');
    expect(a).not.toBe(b);
    expect(operations.find(document, 'A')).toBe(a);
  });

  it('are forgotten when too many others came since', () => {
    const operations = new CompiledOperations(schema, 3);
    const first = parse('{ viewer { id } }');
    operations.find(first, undefined);
    for (let i = 0; i < 5; i++) operations.find(parse(`{ a${i}: viewer { id } }`), undefined);
    expect(operations.size).toBe(3);
    expect(operations.find(first, undefined)).toBeUndefined();
  });
});
