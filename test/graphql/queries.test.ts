import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/domain/errors.js';
import { ask, faceWith, type TestFace } from '../testkit/graphql.js';
import { emptyStore, inventoryOver } from '../testkit/inventory.js';
import { caller } from '../testkit/principal.js';
import { aFinding, aView, THEN } from '../testkit/view.js';

const open = aFinding({
  identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/101@1' }, field: 'name' },
  declaredBy: [
    { field: 'name', value: 'www', source: 'ALL_VMIDS_ENDPOINTS.md', location: 'ALL_VMIDS_ENDPOINTS.md:1', wins: true },
  ],
  evidence: [{ source: 'proxmox:main', text: 'it is called web', at: THEN }],
});
const gone = aFinding({
  identity: { kind: 'GUEST_MISSING', subject: { kind: 'GUEST', id: 'main/9' }, field: '' },
  state: 'RESOLVED',
  clusters: ['main'],
  resolvedAt: THEN,
});
const view = aView({
  nodes: [{ name: 'pve1' }, { name: 'pve2', status: 'OFFLINE' }],
  guests: [
    { vmid: 101, name: 'web', tags: ['prod'], addresses: ['10.0.0.5/24'], memoryBytes: 8_589_934_592 },
    { vmid: 102, name: 'db', node: 'pve2', agent: ['10.0.0.6', 'fd00::6'] },
    { vmid: 103, name: null, template: true, status: 'STOPPED' },
    { vmid: 101, name: 'edge', cluster: 'edge', node: 'e1', kind: 'LXC' },
  ],
  declared: {
    'ALL_VMIDS_ENDPOINTS.md': [{ vmid: 101, name: 'www', node: 'pve1', addresses: ['10.0.0.5'] }],
    'ip-addresses.conf': [{ label: 'SPARE', address: '10.0.0.77' }],
  },
  findings: [open],
});
const inventory = inventoryOver(view, { store: emptyStore([gone]) });

const GUEST = `id cluster vmid name kind status tags template cores memoryBytes diskBytes startedAt pool lock hidden primaryAddress
  node { id name status memoryBytes freshness { collectedAt ageSeconds stale reason } }
  addresses { address prefixLength mac interface scope dynamic evidence { source at } }
  interfaces { key mac bridge vlan linkDown }
  declared { field value source location wins }
  findings { id kind state severity category field declared observed message firstSeenAt lastSeenAt subject { kind id } guest { vmid } }
  freshness { collectedAt ageSeconds stale reason }`;

const QUERIES: readonly { query: string; variables?: Record<string, unknown> }[] = [
  {
    query: `{ guests { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ${GUEST} } } } }`,
  },
  {
    query: `query ($f: GuestFilter, $n: Int) { guests(first: $n, filter: $f) { nodes { ${GUEST} } } }`,
    variables: { n: 2, f: { cluster: 'main', kinds: ['QEMU'], search: null } },
  },
  { query: '{ guests(orderBy: { field: NAME, direction: DESC }) { nodes { name } } }' },
  { query: `{ guest(vmid: 102) { ${GUEST} } }` },
  { query: '{ guest(vmid: 101) { id } }' },
  { query: '{ guest(cluster: "nowhere", vmid: 101) { id } }' },
  {
    query:
      '{ a: guest(cluster: "main", vmid: 101) { ...G findings(states: [RESOLVED]) { id } } b: guest(cluster: "edge", vmid: 101) { ...G } } fragment G on Guest { id node { id } __typename }',
  },
  {
    query: 'query ($no: Boolean!) { guests { nodes { id name @skip(if: $no) vmid @include(if: $no) } } }',
    variables: { no: true },
  },
  { query: '{ proxmoxNodes(filter: { statuses: [OFFLINE] }) { totalCount nodes { id status cores } } }' },
  {
    query:
      '{ addresses { nodes { id scope family class unread declaredBy { source location label vmids } carriedBy { guestId guest { name } interface evidence { source } } } } }',
  },
  {
    query:
      '{ driftFindings { totalCount nodes { id declaredBy { value } evidence { source text at } history { type at cursor } guests { id } onsetAfter onsetBefore occurrences } } }',
  },
  { query: '{ driftFindings(filter: { states: [RESOLVED, OPEN] }) { nodes { id state resolvedAt } } }' },
  { query: '{ driftFinding(id: "NAME_DIFFERS:main/101@1:name") { id kind } none: driftFinding(id: "x") { id } }' },
  {
    query:
      '{ summary { clusters healthScore nodes { total online } guests { total running stopped unknown templates } drift { open acknowledged byKind { kind count } bySeverity { severity count } comparedAt } health { warning lostByFindings } freshness { collectedAt notes } policy { contentHash since } sources { name outcome } declaredSources { name state rows problems { location } } } }',
  },
  {
    query:
      '{ collectors { name outcome reason contract { refreshSeconds onFailure enabledBy } freshness { collectedAt stale } lastRun { id } sources { name breaker { until } notes } } }',
  },
  { query: '{ viewer { id name person roles permissions tenants } }' },
  { query: '{ guests(first: 100000) { nodes { id } } }' },
  { query: '{ guests(filter: { address: "x" }) { nodes { id } } ok: viewer { id } }' },
  { query: 'query ($n: Int!) { guests(first: $n) { nodes { id } } }', variables: { n: 'many' } },
  {
    query: 'query ($t: DateTime!) { guests(asOf: $t) { nodes { id } } }',
    variables: { t: '2026-11-01T00:00:00+02:00' },
  },
  { query: 'query ($t: DateTime!) { guests(asOf: $t) { nodes { id } } }', variables: { t: 'yesterday' } },
  { query: '{ __type(name: "Guest") { name fields { name } } }' },
];

let jit: TestFace;
let plain: TestFace;
beforeAll(async () => {
  jit = await faceWith({ inventory });
  plain = await faceWith({ inventory }, { jit: false });
});
afterAll(async () => {
  await Promise.all([jit.stop(), plain.stop()]);
});

describe('compiled queries', () => {
  it.each(QUERIES)('answer as graphql-js does: $query', async ({ query, variables }) => {
    const expected = await ask(plain, query, variables);
    const answers = [
      await ask(jit, query, variables),
      await ask(jit, query, variables),
      await ask(jit, query, variables),
    ];
    for (const answer of answers) expect(answer).toEqual(expected);
    expect(plain.logged).toEqual([]);
    expect(jit.logged).toEqual([]);
  });
});

describe('answers', () => {
  it('speak the names and forms of the contract', async () => {
    const { data } = await ask(jit, `{ guest(cluster: "main", vmid: 101) { ${GUEST} } }`);
    expect(data?.guest).toMatchObject({
      id: 'main/101@1',
      kind: 'QEMU',
      status: 'RUNNING',
      memoryBytes: 8_589_934_592,
      node: { id: 'main/pve1', status: 'ONLINE' },
      addresses: [
        {
          address: '10.0.0.5',
          prefixLength: 24,
          interface: 'net0',
          evidence: [{ source: 'CONFIG', at: '2026-11-21T10:00:00.000Z' }],
        },
      ],
      declared: [
        {
          field: 'name',
          value: 'www',
          source: 'ALL_VMIDS_ENDPOINTS.md',
          location: 'ALL_VMIDS_ENDPOINTS.md:1',
          wins: true,
        },
        { field: 'node', value: 'pve1' },
        { field: 'address4', value: '10.0.0.5' },
      ],
      findings: [{ kind: 'NAME_DIFFERS', field: 'name', lastSeenAt: '2026-11-21T10:00:00.000Z', guest: { vmid: 101 } }],
      freshness: { collectedAt: '2026-11-21T10:00:00.000Z', ageSeconds: 30, stale: false, reason: null },
    });
    expect((await ask(jit, '{ collectors { name } }')).data?.collectors).toContainEqual({ name: 'PROXMOX_GUEST_IPAM' });
  });

  it('walk a connection by its cursors', async () => {
    const seen: unknown[] = [];
    let after: unknown = null;
    for (;;) {
      const { data } = await ask(
        jit,
        'query ($a: String) { guests(first: 1, after: $a) { nodes { id } pageInfo { hasNextPage endCursor } } }',
        { a: after },
      );
      const page = data?.guests as { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      seen.push(...page.nodes.map((node) => node.id));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(seen).toEqual(['edge/101@1', 'main/101@1', 'main/102@1', 'main/103@1']);
  });

  it('come with the codes of the contract', async () => {
    const code = async (query: string, principal = caller()) =>
      (await ask(jit, query, {}, principal)).errors?.[0]?.extensions.code;
    expect(await code('{ guest(vmid: 101) { id } }')).toBe('CONFLICT');
    expect(await code('{ guests { nodes { id } } }', caller([]))).toBe('FORBIDDEN');
    expect(await code('{ guests(first: 501) { nodes { id } } }', caller(['viewer']))).toBe('VALIDATION_ERROR');
    expect(await code('{ guests(first: 10) { nodes { ide } } }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await code('{ guests(')).toBe('GRAPHQL_PARSE_FAILED');
    expect(await code('subscription { collectorEvents { at } }')).toBe('BAD_REQUEST');
    const deep = `{ guests { nodes ${'{ findings { guest '.repeat(8)}{ id }${' } }'.repeat(8)} } }`;
    expect(await code(deep)).toBe('QUERY_TOO_COMPLEX');
    const wide = `{ ${Array.from({ length: 60 }, (_, i) => `a${i}: guests(first: 500) { nodes { findings { guests { id } } } }`).join(' ')} }`;
    expect(await code(wide, caller(['viewer']))).toBe('QUERY_TOO_COMPLEX');
  });

  it('a query of nested fragments is weighed without being unfolded', async () => {
    const fragments = Array.from(
      { length: 60 },
      (_, i) =>
        `fragment f${i} on Query { ${i === 59 ? 'viewer { id }' : `...f${i + 1} a${i}: viewer { id } ...f${i + 1}`} }`,
    );
    const { errors } = await ask(jit, `{ ...f0 } ${fragments.join(' ')}`);
    expect(errors?.[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
  });

  it('show nothing of what breaks inside, and log it under the id they name', async () => {
    const broken = {
      ...inventory,
      summary: () => {
        throw new Error('password=hunter2');
      },
    };
    for (const useJit of [true, false]) {
      const face = await faceWith({ inventory: broken }, { jit: useJit });
      for (let i = 0; i < 3; i++) {
        const answer = await ask(face, '{ summary { clusters } }');
        expect(JSON.stringify(answer)).not.toContain('hunter2');
        expect(answer.errors?.[0]?.extensions.code).toBe('INTERNAL');
      }
      expect(face.logged).toHaveLength(3);
      await face.stop();
    }
  });
});

describe('mutations', () => {
  const key = {
    id: 'k1',
    prefix: 'sk_1',
    name: 'ci',
    person: 'test',
    roles: ['viewer'],
    tenants: null,
    createdAt: THEN,
    createdBy: 'key:test',
    expiresAt: null,
    revokedAt: null,
  };

  it('apiKeyCreate answers the secret; what the caller can mend comes as data, all else as an error', async () => {
    let outcome: DomainError | undefined;
    const face = await faceWith({
      inventory,
      accounts: {
        async apiKeyCreate(_principal, input) {
          if (outcome !== undefined) throw outcome;
          expect(input).toMatchObject({ name: 'ci', roles: ['viewer'], expiresAt: THEN });
          return { apiKey: key, secret: 's3cret' };
        },
        async apiKeyRevoke(_principal, id) {
          throw new DomainError('NOT_FOUND', `there is no key ${id}`, { field: ['id'] });
        },
      },
    });
    const create =
      'mutation ($i: ApiKeyCreateInput!) { apiKeyCreate(input: $i) { secret apiKey { id roles createdAt } userErrors { code field message } } }';
    const input = { i: { name: 'ci', roles: ['viewer'], expiresAt: '2026-11-21T10:00:00Z' } };
    expect((await ask(face, create, input)).data?.apiKeyCreate).toEqual({
      secret: 's3cret',
      apiKey: { id: 'k1', roles: ['viewer'], createdAt: '2026-11-21T10:00:00.000Z' },
      userErrors: [],
    });
    outcome = new DomainError('VALIDATION_ERROR', 'there is no role x', { field: ['roles'] });
    expect((await ask(face, create, input)).data?.apiKeyCreate).toEqual({
      secret: null,
      apiKey: null,
      userErrors: [{ code: 'VALIDATION_ERROR', field: ['input', 'roles'], message: 'there is no role x' }],
    });
    outcome = new DomainError('FORBIDDEN', 'not for you');
    expect((await ask(face, create, input)).errors?.[0]).toMatchObject({
      message: 'not for you',
      extensions: { code: 'FORBIDDEN' },
    });
    const revoke = await ask(
      face,
      'mutation { apiKeyRevoke(input: { id: "k9" }) { apiKey { id } userErrors { code field } } }',
    );
    expect(revoke.data?.apiKeyRevoke).toEqual({
      apiKey: null,
      userErrors: [{ code: 'NOT_FOUND', field: ['input', 'id'] }],
    });
    await face.stop();
  });

  it('collectionRun hands on the contract’s names and a bounded wait; declaredConfirm answers the source', async () => {
    const run = {
      id: 'r1',
      collector: 'proxmox_guest_ipam',
      source: 'proxmox:main',
      state: 'RUNNING',
      startedAt: THEN,
      finishedAt: null,
      outcome: null,
      reason: null,
      requests: null,
      coverage: null,
    } as const;
    const asked: unknown[] = [];
    const face = await faceWith({
      inventory,
      collection: {
        async run(_principal, wish) {
          asked.push(wish);
          return [run];
        },
        async confirmDeclared(_principal, wish) {
          asked.push(wish);
        },
        async *events() {},
      },
    });
    const collect =
      'mutation ($w: Int) { collectionRun(input: { collectors: [PROXMOX_GUEST_IPAM], waitSeconds: $w }) { runs { id collector source state startedAt outcome coverage { rows } } userErrors { code } } }';
    expect((await ask(face, collect)).data?.collectionRun).toEqual({
      runs: [
        {
          id: 'r1',
          collector: 'PROXMOX_GUEST_IPAM',
          source: 'proxmox:main',
          state: 'RUNNING',
          startedAt: '2026-11-21T10:00:00.000Z',
          outcome: null,
          coverage: null,
        },
      ],
      userErrors: [],
    });
    expect((await ask(face, collect, { w: 61 })).data?.collectionRun).toEqual({
      runs: null,
      userErrors: [{ code: 'VALIDATION_ERROR' }],
    });
    const confirm =
      'mutation { declaredConfirm(input: { source: "ip-addresses.conf", reason: "tidied up" }) { source { name state rows } userErrors { code } } }';
    expect((await ask(face, confirm)).data?.declaredConfirm).toEqual({
      source: { name: 'ip-addresses.conf', state: 'COVERED', rows: 1 },
      userErrors: [],
    });
    expect(asked).toEqual([
      { collectors: ['proxmox_guest_ipam'], waitSeconds: 20 },
      { source: 'ip-addresses.conf', reason: 'tidied up' },
    ]);
    await face.stop();
  });
});
