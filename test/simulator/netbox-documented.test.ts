import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { expect, it } from 'vitest';
import { describeRecordings, recording } from '../sources/recordings.js';
import { askNetbox, declared, netbox, type Row, within } from './netbox-asking.js';

const VMS = 'virtualization/virtual-machines/';

describeRecordings('NetBox 4.2 as it is simulated', () => {
  const documented = ['dcim/devices', 'dcim/mac-addresses', 'ipam/ip-addresses', 'ipam/prefixes'];
  documented.push('virtualization/clusters', 'virtualization/interfaces', 'virtualization/virtual-machines');

  it.each(documented)('answers %s as documented, in lists and one by one', async (path) => {
    const { model } = declared({}, { vrfs: [{ name: 'nat', bridge: 'vmbr1' }] }).netbox;
    const server = await netbox({ version: '4.2', model });
    const list = await askNetbox(server, `/api/${path}/?limit=1000`);
    const { results } = list.body as { results: Row[] };
    expect(results.length).toBeGreaterThan(0);
    expect(misfits(`/api/${path}/`, list.body)).toEqual([]);
    const one = await askNetbox(server, `/api/${path}/${results[0]?.id}/`);
    expect(misfits(`/api/${path}/{id}/`, one.body)).toEqual([]);
    expect(one.body).toEqual(results[0]);
  });

  it('would not pass with a wrong type, or without what is required', async () => {
    const { body } = await askNetbox(await netbox({ version: '4.2' }), `/api/${VMS}?limit=1`);
    const [vm] = (body as { results: Row[] }).results;
    const { name, ...nameless } = vm ?? {};
    for (const wrong of [{ ...vm, memory: 'much' }, nameless])
      expect(misfits(`/api/${VMS}`, { ...(body as Row), results: [wrong] })).not.toEqual([]);
    expect(name).toEqual(expect.any(String));
  });
});

/** Choices that are unset are null on the wire, which the document does not say of any of them. */
const UNSET_CHOICES = new Set(['role', 'mode', 'face', 'airflow']);
let checks: Ajv | undefined;

function misfits(path: string, body: unknown): readonly unknown[] {
  const document = recording('netbox-openapi/netbox-4.2.2-pruned.json') as Row;
  checks ??= formats
    .default(new Ajv({ strict: false, allErrors: true }))
    .addSchema({ $id: 'netbox', components: asJsonSchema(document.components) }, 'netbox');
  const schema = within(document, 'paths', path, 'get', 'responses', '200', 'content', 'application/json', 'schema');
  const local = JSON.parse(JSON.stringify(asJsonSchema(schema)).replaceAll('"#/', '"netbox#/')) as Row;
  const fits: ValidateFunction = checks.compile(local);
  return fits(body) ? [] : (fits.errors ?? []);
}

/** OpenAPI 3.0 into JSON schema: `nullable`, bounds that are exclusive by a flag, and no keys but the documented ones. */
function asJsonSchema(schema: unknown, key = ''): unknown {
  if (Array.isArray(schema)) return schema.map((one) => asJsonSchema(one));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([name]) => !['nullable', 'example', 'format'].includes(name));
  const plain = Object.fromEntries(entries.map(([name, value]) => [name, asJsonSchema(value, name)]));
  for (const [flag, bound] of [
    ['exclusiveMaximum', 'maximum'],
    ['exclusiveMinimum', 'minimum'],
  ] as const)
    if (plain[flag] === true) {
      plain[flag] = plain[bound];
      delete plain[bound];
    }
  if ('properties' in schema && !('additionalProperties' in schema)) plain.additionalProperties = false;
  // Whatever the document says of its form, an unset name is an empty text.
  if (key === 'dns_name') return { anyOf: [plain, { const: '' }] };
  const isChoice = UNSET_CHOICES.has(key) && 'properties' in schema;
  return 'nullable' in schema || isChoice ? { anyOf: [plain, { type: 'null' }] } : plain;
}
