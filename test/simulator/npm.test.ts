import { describe, expect, it, onTestFinished } from 'vitest';
import {
  NPM_CODE,
  type SimulatedNpm,
  type SimulatedNpmOptions,
  startSimulatedNpm,
} from '../../src/simulator/wire/npm.js';
import { describeRecordings, recording } from '../sources/recordings.js';
import { NOW } from './asking.js';
import { type JsonSchema, schemaMisfits } from './json-schema.js';
import { askService, CERTIFICATE, estates, SEED } from './service-asking.js';

const LISTS = ['proxy-hosts', 'redirection-hosts', 'streams', 'certificates', 'dead-hosts'] as const;

async function npm(options: Partial<SimulatedNpmOptions> = {}): Promise<SimulatedNpm> {
  const own = { estates: estates(), certificate: CERTIFICATE, now: () => NOW, seed: SEED };
  const started = await startSimulatedNpm({ ...own, ...options });
  onTestFinished(() => started.stop());
  return started;
}

function login({ url, identity, secret }: SimulatedNpm, wrong?: string) {
  return askService(`${url}/api/tokens`, { body: { identity, secret: wrong ?? secret } });
}

async function bearer(manager: SimulatedNpm): Promise<{ authorization: string }> {
  const { json } = await login(manager);
  return { authorization: `Bearer ${(json as { token: string }).token}` };
}

type Row = Readonly<Record<string, unknown>>;

async function list(manager: SimulatedNpm, path: string): Promise<readonly Row[]> {
  const told = await askService(`${manager.url}/api/nginx/${path}`, { headers: await bearer(manager) });
  expect(told).toMatchObject({ status: 200 });
  return told.json as Row[];
}

describeRecordings('what a proxy manager of 2.15 answers fits its own description', () => {
  const operations = recording('npm-openapi/npm-2.15.1-resolved-operations.json') as Record<
    string,
    { responses: Record<string, { content: Record<string, { schema: JsonSchema }> }> }
  >;
  const schemaOf = (path: string) => operations[path]?.responses['200']?.content['application/json']?.schema ?? {};

  it.each(LISTS)('%s', async (name) => {
    const rows = await list(await npm(), `${name}?expand=owner,certificate,access_list`);
    const wrong = schemaMisfits(rows, schemaOf(`paths/nginx/${name}/get.json`));
    // Rows that are older than locations have null, whatever is described.
    expect(wrong.filter((one) => !/^\[\d+\]\.locations: null is no array$/.test(one))).toEqual([]);
    expect(rows.length > 0).toBe(name !== 'dead-hosts');
  });

  it('the status, and a login', async () => {
    const manager = await npm();
    const status = await askService(`${manager.url}/api/`);
    expect(schemaMisfits(status.json, schemaOf('paths/get.json'))).toEqual([]);
    expect(schemaMisfits((await login(manager)).json, schemaOf('paths/tokens/post.json'))).toEqual([]);
  });
});

describe('versions', () => {
  it('up to 2.11 booleans are 0 or 1, from 2.12 on true or false', async () => {
    const kinds = async (version: '2.9' | '2.12') =>
      new Set((await list(await npm({ version }), 'proxy-hosts')).map(({ enabled }) => typeof enabled));
    expect([await kinds('2.9'), await kinds('2.12')]).toEqual([new Set(['number']), new Set(['boolean'])]);
  });

  it('times are as SQLite keeps them, or as the driver of MySQL gives them', async () => {
    const expires = async (options: Partial<SimulatedNpmOptions>) =>
      (await list(await npm(options), 'certificates')).map(({ expires_on }) => String(expires_on));
    for (const text of await expires({ version: '2.9' })) expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    for (const options of [{ version: '2.9', database: 'mysql' }, { version: '2.15' }] as const)
      for (const text of await expires(options)) expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
  });

  it.each([
    ['2.9', 401, { error: { code: 401, message: 'Invalid email or password' } }],
    ['2.12', 401, { error: { code: 401, message: 'Invalid email or password' } }],
    ['2.15', 400, { error: { code: 400, message: 'Invalid email or password', message_i18n: 'error.invalid-auth' } }],
  ] as const)('%s refuses a wrong password with %i', async (version, status, json) => {
    expect(await login(await npm({ version }), 'wrong')).toMatchObject({ status, json });
  });

  it('says its version without a login', async () => {
    const { json } = await askService(`${(await npm({ version: '2.12' })).url}/api/`);
    expect(json).toEqual({ status: 'OK', version: { major: 2, minor: 12, revision: 6 } });
  });

  it('rows from before there were locations have null', async () => {
    const kinds = new Set((await list(await npm(), 'proxy-hosts')).map(({ locations }) => Array.isArray(locations)));
    expect(kinds).toEqual(new Set([true, false]));
  });
});

describe('who may see', () => {
  it.each([
    ['without a token', undefined, 403, 'Permission Denied'],
    ['with a token of another installation', 'Bearer a.b.c', 500, 'Internal Error'],
  ])('%s: %s gets %i', async (_, authorization, status, message) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const told = await askService(`${(await npm()).url}/api/nginx/streams`, { headers });
    expect(told).toMatchObject({ status, json: { error: { code: status, message } } });
  });

  it.each([
    ['2.12', 401],
    ['2.15', 400],
  ] as const)('a token of %s ends after its day with %i, and a login opens again', async (version, status) => {
    let now = NOW;
    const manager = await npm({ version, now: () => now });
    const headers = await bearer(manager);
    now += 86_400_001;
    const told = await askService(`${manager.url}/api/nginx/streams`, { headers });
    expect(told).toMatchObject({ status, json: { error: { code: status, message: 'Token has expired' } } });
    expect(await list(manager, 'streams')).not.toEqual([]);
  });

  it('a session that is over: every token of before, and none of those after', async () => {
    const manager = await npm();
    const headers = await bearer(manager);
    manager.faults.set({ sessionExpired: true });
    expect(await askService(`${manager.url}/api/nginx/streams`, { headers })).toMatchObject({ status: 400 });
    const fresh = await bearer(manager);
    expect(await askService(`${manager.url}/api/nginx/streams`, { headers: fresh })).toMatchObject({ status: 200 });
  });

  it('a second factor is asked for from 2.13 on, and opens with its code', async () => {
    const manager = await npm();
    manager.faults.set({ twoFactor: true });
    const { status, json } = await login(manager);
    const { challenge_token } = json as { challenge_token: string };
    expect([status, json]).toEqual([200, { requires_2fa: true, challenge_token: expect.any(String) }]);
    const answer = (code: string) => askService(`${manager.url}/api/tokens/2fa`, { body: { challenge_token, code } });
    expect(await answer(NPM_CODE)).toMatchObject({ status: 200, json: { token: expect.any(String) } });
    expect(await answer('000000')).toMatchObject({
      status: 400,
      json: { error: { message_i18n: 'error.invalid-2fa' } },
    });
    const old = await npm({ version: '2.12' });
    old.faults.set({ twoFactor: true });
    expect((await login(old)).json).toMatchObject({ token: expect.any(String) });
  });

  it('a password that is no longer known', async () => {
    const manager = await npm();
    manager.faults.set({ keyRevoked: true });
    expect(await login(manager)).toMatchObject({ status: 400 });
  });

  it('a list that is not for this user; errors about certificates say where they came from', async () => {
    const manager = await npm({ forbidden: ['certificates'] });
    const told = await askService(`${manager.url}/api/nginx/certificates`, { headers: await bearer(manager) });
    expect(told.json).toMatchObject({ error: { code: 403, message: 'Permission Denied' }, debug: {} });
  });

  it('one who sees only what is his own is told so by his own row alone', async () => {
    const manager = await npm({ visibility: 'user' });
    expect(await list(manager, 'proxy-hosts')).toEqual([]);
    const me = await askService(`${manager.url}/api/users/me?expand=permissions`, { headers: await bearer(manager) });
    expect(me.json).toMatchObject({ email: manager.identity, roles: [], permissions: { visibility: 'user' } });
  });
});

describe('what is planted', () => {
  const days = (from: number, text: unknown) => (Date.parse(String(text)) - from) / 86_400_000;

  it('is a target that nobody has, one that is stopped, and two certificates', async () => {
    const all = estates();
    const manager = await npm({ estates: all, name: 'edge' });
    const hosts = await list(manager, 'proxy-hosts');
    const target = (kind: string) => {
      const { subject = '' } = manager.plantedDrift.find((one) => one.kind === kind) ?? {};
      return hosts.find(({ id }) => `edge/${id}` === subject)?.forward_host;
    };
    const carrier = (address: unknown) =>
      all.flatMap((estate) => estate.guests()).filter(({ nics }) => nics.some(({ v4 }) => v4?.address === address));
    expect(carrier(target('PROXY_TARGET_UNKNOWN'))).toEqual([]);
    expect(carrier(target('PROXY_TARGET_STOPPED')).map(({ power }) => power)).toEqual(['stopped']);
    const [{ name = '', guest = '' } = {}] = carrier(target('PROXY_TARGET_STOPPED')).map(({ vmid }) => ({
      name: all[0]?.name ?? '',
      guest: String(vmid),
    }));
    expect([...manager.touched]).toEqual([`${name}/${guest}`]);
  });

  it('every other target is running or no guest’s; every other certificate has more than a month, whenever it is', async () => {
    let now = NOW;
    const all = estates();
    const manager = await npm({ estates: all, name: 'edge', now: () => now });
    const planted = new Set(manager.plantedDrift.map(({ subject }) => subject));
    const others = (await list(manager, 'proxy-hosts')).filter(({ id }) => !planted.has(`edge/${id}`));
    const powers = others.map(({ forward_host: host }) => {
      const guest = all
        .flatMap((estate) => estate.guests())
        .find(({ nics }) => nics.some(({ v4, v6 }) => v4?.address === host || v6?.address === host));
      return guest?.power ?? host;
    });
    expect([...new Set(powers)].sort()).toEqual(['192.168.77.9', 'portainer', 'running', 'status.example.org']);
    const soon = (await list(manager, 'certificates')).filter(({ id }) => planted.has(`edge/${id}`));
    const left = soon.map(({ expires_on }) => Math.ceil(days(NOW, expires_on)));
    expect(left.sort((a, b) => a - b)).toEqual(
      [5, 20].map((most) => expect.toSatisfy((one) => one <= most && one > most - 3)),
    );
    for (const later of [0, 33, 61, 95]) {
      now = NOW + later * 86_400_000;
      const rows = (await list(manager, 'certificates')).filter(({ id }) => !planted.has(`edge/${id}`));
      for (const { expires_on } of rows) expect(days(now, expires_on)).toBeGreaterThan(31);
    }
  });

  it('is the same for the same seed, and lets alone what something else is planted on', async () => {
    const [first, second] = [await npm(), await npm()];
    expect(await list(second, 'proxy-hosts')).toEqual(await list(first, 'proxy-hosts'));
    const other = await npm({ untouchable: first.touched });
    expect([...other.touched].filter((place) => first.touched.has(place))).toEqual([]);
  });

  it('an estate without guests has what belongs to none', async () => {
    const manager = await npm({ estates: estates({ guests: 0 }) });
    expect(manager.plantedDrift.map(({ kind }) => kind)).toEqual([
      'CERTIFICATE_EXPIRING',
      'CERTIFICATE_EXPIRING',
      'PROXY_TARGET_UNKNOWN',
    ]);
  });
});

it('counts what it was asked, breaks as it is told, and says so in its own words', async () => {
  const manager = await npm();
  manager.faults.set({ paths: [{ match: '/streams$', does: 'error', status: 502, times: 1 }] });
  const headers = await bearer(manager);
  const ask = () => askService(`${manager.url}/api/nginx/streams`, { headers });
  expect(await ask()).toMatchObject({
    status: 502,
    reason: 'Bad Gateway',
    body: expect.stringMatching(/^<!DOCTYPE html>/),
  });
  expect(await ask()).toMatchObject({ status: 200 });
  expect([...manager.requests()]).toEqual([
    ['/api/tokens', 1],
    ['/api/nginx/streams', 2],
  ]);
});
