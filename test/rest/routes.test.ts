import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/rest/table.js';
import { caller } from '../testkit/principal.js';
import { THEN } from '../testkit/view.js';
import { anEstate, openRest } from './estate.js';

const PATHS = Object.values(ROUTES).map(({ path }) => path.replace('{vmid}', '101'));
const COLLECTED = '2026-11-21T10:00:00.000Z';

describe('every route', () => {
  it.each(PATHS)('GET %s is 401 without a key', async (path) => {
    const { ask } = await openRest();
    const answer = await ask(path);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
  });

  it.each(PATHS)('GET %s has an ETag, and 304 for who has it', async (path) => {
    const { askWithKey } = await openRest();
    const first = await askWithKey(path);
    const etag = first.headers.get('etag') ?? '';
    expect(first.status).toBe(200);
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    for (const held of [etag, `W/${etag}`, `"older", ${etag}`, '*']) {
      const again = await askWithKey(path, { headers: { 'if-none-match': held } });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    }
    expect((await askWithKey(path, { headers: { 'if-none-match': '"older"' } })).status).toBe(200);
    const head = await askWithKey(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag')]).toEqual([200, etag]);
  });

  const asked = PATHS.filter((path) => path !== '/v1/openapi.json');
  it.each(asked)('GET %s is 403 for a caller without the permission', async (path) => {
    const { askWithKey } = await openRest({ principal: caller([]) });
    const answer = await askWithKey(path);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: 'FORBIDDEN' } });
  });
});

const OFFLINE =
  'main: node pve2 is offline, as its cluster says: what was last known of its guests stays; is it up, and is its network?';

describe('GET /v1/summary', () => {
  it('counts the estate: templates nowhere else, a paused guest as running', async () => {
    const { json } = await openRest();
    expect(await json('/v1/summary')).toEqual({
      collected_at: COLLECTED,
      stale: false,
      seed_unreachable: false,
      notes: [OFFLINE],
      clusters: 2,
      nodes: { total: 3, online: 2 },
      guests: { total: 6, running: 4, stopped: 1, unknown: 1, templates: 1 },
      drift: {
        open: 1,
        acknowledged: 1,
        by_kind: { GUEST_NOT_DECLARED: 1 },
        by_severity: { INFO: 0, WARNING: 1, CRITICAL: 0 },
      },
      collectors: [
        { name: 'proxmox_guest_ipam', last_success_at: COLLECTED, stale: false, outcome: 'observed' },
        ...['ip_neigh', 'hardware', 'npm', 'unifi', 'netbox'].map((name) => ({
          name,
          last_success_at: null,
          stale: false,
          outcome: 'not_configured',
        })),
      ],
      health_score: 70,
      health_score_parts: {
        critical: 0,
        warning: 1,
        info: 0,
        guests: 6,
        stale_collectors: 0,
        lost_by_findings: 30,
        lost_by_staleness: 0,
      },
    });
  });

  it('begins with the four words of freshness, in their order', async () => {
    const { askWithKey } = await openRest();
    for (const path of PATHS.filter((p) => p === '/v1/summary' || p.startsWith('/v1/inventory/'))) {
      const text = await (await askWithKey(path)).text();
      expect(text).toMatch(
        /^\{"collected_at":(?:"[^"]+"|null),"stale":(?:true|false),"seed_unreachable":false,"notes":\[/,
      );
    }
  });
});

describe('freshness', () => {
  it('names the cluster that does not answer, and keeps what was last known', async () => {
    const view = anEstate({
      states: {
        edge: {
          outcome: 'UNREACHABLE',
          reason: 'connect ETIMEDOUT',
          unreachableSince: THEN,
          lastSuccessAt: THEN - 3 * 3_600_000,
        },
      },
    });
    const { json } = await openRest({ view });
    const answer = await json('/v1/inventory/guests?cluster=edge');
    expect(answer).toMatchObject({
      collected_at: '2026-11-21T07:00:00.000Z',
      stale: true,
      seed_unreachable: true,
      notes: [expect.stringMatching(/^edge: .*connect ETIMEDOUT/), OFFLINE],
      guests: [{ cluster: 'edge', vmid: '100', collected_at: '2026-11-21T07:00:00.000Z' }],
    });
  });

  it('is null before anything was ever collected', async () => {
    const { json } = await openRest({ view: anEstate({ guests: [], nodes: [], findings: [] }) });
    expect(await json('/v1/inventory/live')).toMatchObject({ collected_at: null, nodes: [], guests: [] });
  });
});

describe('GET /v1/inventory/guests', () => {
  it('gives VMIDs as text, and the address that a declaration names before a lower one', async () => {
    const { json } = await openRest();
    const { guests } = (await json('/v1/inventory/guests')) as { guests: Record<string, unknown>[] };
    expect(guests.map(({ cluster, vmid, ip }) => [cluster, vmid, ip])).toEqual([
      ['edge', '100', '10.1.0.10'],
      ['main', '100', '10.0.0.10'],
      ['main', '101', '10.0.0.4'],
      ['main', '102', null],
      ['main', '103', null],
      ['main', '104', null],
      ['main', '900', null],
    ]);
    expect(guests[1]).toEqual({
      cluster: 'main',
      vmid: '100',
      name: 'web',
      type: 'qemu',
      status: 'running',
      node: 'pve1',
      ip: '10.0.0.10',
      ips: ['10.0.0.10', 'fd00::10'],
      mac: 'bc:24:11:00:00:64',
      tags: ['prod'],
      collected_at: COLLECTED,
      template: false,
    });
  });

  const filters: [string, string[]][] = [
    ['?cluster=edge', ['100']],
    ['?cluster=nowhere', []],
    ['?node=pve2', ['104']],
    ['?status=running&cluster=main', ['100', '101', '102']],
    ['?status=stopped', ['103', '900']],
    ['?status=UNKNOWN', ['104']],
    ['?status=&node=edge1', ['100']],
  ];
  it.each(filters)('%s', async (query, vmids) => {
    const { json } = await openRest();
    const { guests } = (await json(`/v1/inventory/guests${query}`)) as { guests: { vmid: string }[] };
    expect(guests.map(({ vmid }) => vmid)).toEqual(vmids);
  });

  it.each(['?status=paused', '?status=toString', '?cluster=a&cluster=b'])('%s is 400 and says why', async (query) => {
    const { askWithKey } = await openRest();
    const answer = await askWithKey(`/v1/inventory/guests${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: 'VALIDATION_ERROR', details: { field: query.slice(1).split('=')[0] } },
    });
  });
});

describe('GET /v1/inventory/guests/{vmid}', () => {
  it('is the guest alone', async () => {
    const { json } = await openRest();
    expect(await json('/v1/inventory/guests/102')).toMatchObject({
      collected_at: COLLECTED,
      guest: { vmid: '102', name: 'paused', status: 'running' },
    });
  });

  it('is 409 naming the clusters where several have it, until one is named', async () => {
    const { askWithKey, json } = await openRest();
    const answer = await askWithKey('/v1/inventory/guests/100');
    expect(answer.status).toBe(409);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('CONFLICT');
    expect(error.message).toMatch(/edge.*main|main.*edge/);
    expect(await json('/v1/inventory/guests/100?cluster=edge')).toMatchObject({ guest: { name: 'edge-web' } });
  });

  it.each([
    ['4711', 404, 'NOT_FOUND'],
    ['102?cluster=edge', 404, 'NOT_FOUND'],
    ['web', 400, 'VALIDATION_ERROR'],
    ['-1', 400, 'VALIDATION_ERROR'],
    ['9999999999', 400, 'VALIDATION_ERROR'],
  ])('%s is %i', async (vmid, status, code) => {
    const { askWithKey } = await openRest();
    const answer = await askWithKey(`/v1/inventory/guests/${vmid}`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });
});

describe('GET /v1/inventory/live and /nodes', () => {
  it('live has both, narrowed alike', async () => {
    const { json } = await openRest();
    const all = (await json('/v1/inventory/live')) as { nodes: unknown[]; guests: unknown[] };
    expect([all.nodes.length, all.guests.length]).toEqual([3, 7]);
    expect(await json('/v1/inventory/live?node=pve2')).toMatchObject({
      nodes: [{ cluster: 'main', node: 'pve2', status: 'offline' }],
      guests: [{ vmid: '104', node: 'pve2' }],
    });
  });

  it('nodes can be asked for by their own statuses', async () => {
    const { json, askWithKey } = await openRest();
    expect(await json('/v1/inventory/nodes?status=online&cluster=main')).toMatchObject({ nodes: [{ node: 'pve1' }] });
    expect((await askWithKey('/v1/inventory/nodes?status=running')).status).toBe(400);
  });

  it('gives every node of a large estate', async () => {
    const nodes = Array.from({ length: 1_201 }, (_, i) => ({ name: `n${String(i).padStart(4, '0')}` }));
    const { json } = await openRest({ view: anEstate({ nodes, guests: [], findings: [] }) });
    expect(((await json('/v1/inventory/nodes')) as { nodes: unknown[] }).nodes).toHaveLength(1_201);
  });
});

describe('GET /v1/inventory/drift', () => {
  it('lists facts beside findings', async () => {
    const { json } = await openRest();
    const drift = await json('/v1/inventory/drift');
    expect(Object.keys(drift)).toEqual([
      'collected_at',
      'stale',
      'seed_unreachable',
      'notes',
      'ip_addresses_conf_ips_not_on_guests',
      'guest_ips_not_declared',
      'vmids_not_declared',
      'declared_vmids_not_live',
      'mismatches',
      'duplicate_ips',
      'declarations_in_conflict',
      'findings',
    ]);
    const { findings, ...lists } = drift as Record<string, unknown> & { findings: Record<string, unknown>[] };
    expect(lists).toMatchObject({
      ip_addresses_conf_ips_not_on_guests: [{ ip: '10.0.0.99', key: 'LOST', line: 2 }],
      guest_ips_not_declared: [{ ip: '10.0.0.30', vmid: '101', name: 'db' }],
      vmids_not_declared: [{ vmid: '103', name: 'idle', cluster: 'main', node: 'pve1' }],
      declared_vmids_not_live: [
        { vmid: '777', name: 'gone', source: 'ALL_VMIDS_ENDPOINTS.md', location: 'ALL_VMIDS_ENDPOINTS.md:2' },
      ],
      mismatches: [
        { vmid: '101', field: 'name', declared: 'db', observed: 'db-old', source: 'ALL_VMIDS_ENDPOINTS.md' },
      ],
      duplicate_ips: [{ ip: '10.0.0.7', vmids: ['100', '102'] }],
      declarations_in_conflict: [
        {
          subject: 'main/101',
          field: 'name',
          facts: [
            { value: 'db', source: 'ALL_VMIDS_ENDPOINTS.md', location: 'ALL_VMIDS_ENDPOINTS.md:1' },
            { value: 'database', source: 'ALL_VMIDS_ENDPOINTS.md', location: 'ALL_VMIDS_ENDPOINTS.md:9' },
          ],
        },
      ],
    });
    expect(findings.map(({ kind, state }) => [kind, state]).sort()).toEqual([
      ['GUEST_NOT_DECLARED', 'OPEN'],
      ['NAME_DIFFERS', 'ACKNOWLEDGED'],
    ]);
  });
});

describe('GET /v1/collector-contract', () => {
  it('is the file byte for byte, and its ETag the file’s hash', async () => {
    const view = anEstate();
    const text = '{ "version": 1,\r\n\t"collectors": {},  "note": "ü" }\n\n';
    const { askWithKey } = await openRest({ view: { ...view, contract: { ...view.contract, text, hash: 'ab12' } } });
    const answer = await askWithKey('/v1/collector-contract');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(text));
    expect(answer.headers.get('etag')).toBe('"ab12"');
  });
});

it('an ETag changes when what it names changes', async () => {
  const { askWithKey, state } = await openRest();
  const before = (await askWithKey('/v1/inventory/guests')).headers.get('etag') ?? '';
  state.view = anEstate({ guests: [{ vmid: 100, name: 'renamed' }] });
  const after = await askWithKey('/v1/inventory/guests', { headers: { 'if-none-match': before } });
  expect(after.status).toBe(200);
  expect(after.headers.get('etag')).not.toBe(before);
});
