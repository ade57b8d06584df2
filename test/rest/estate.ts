import type { Principal } from '../../src/domain/access.js';
import {
  type DeclaredFact,
  type Difference,
  type DriftFindingKind,
  findingId,
  type Subject,
} from '../../src/domain/finding.js';
import type { InventoryView } from '../../src/domain/view.js';
import { restFacts } from '../../src/inventory/rest-facts.js';
import { restRoutes } from '../../src/rest/routes.js';
import { openServer } from '../server/open-server.js';
import { inventoryOver } from '../testkit/inventory.js';
import { caller } from '../testkit/principal.js';
import { aFinding, aView, THEN } from '../testkit/view.js';

export const NOW = THEN + 30_000;

/** Two clusters with a VMID in common, a guest of every status, a template, and drift in them. */
export function anEstate(more: Parameters<typeof aView>[0] = {}): InventoryView {
  const view = aView({
    nodes: [
      { name: 'pve1', cluster: 'main' },
      { name: 'pve2', cluster: 'main', status: 'OFFLINE' },
      { name: 'edge1', cluster: 'edge' },
    ],
    guests: [
      { vmid: 100, name: 'web', addresses: ['10.0.0.10/24', 'fd00::10/64'], tags: ['prod'] },
      { vmid: 101, name: 'db', agent: ['10.0.0.30', '10.0.0.4'] },
      { vmid: 102, name: 'paused', status: 'PAUSED' },
      { vmid: 103, name: 'idle', status: 'STOPPED', kind: 'LXC' },
      { vmid: 104, name: null, node: 'pve2', status: 'UNKNOWN' },
      { vmid: 900, name: 'golden', template: true, status: 'STOPPED' },
      { vmid: 100, cluster: 'edge', name: 'edge-web', node: 'edge1', addresses: ['10.1.0.10/24'] },
    ],
    declared: {
      'ip-addresses.conf': [
        { label: 'WEB', address: '10.0.0.10' },
        { label: 'LOST', address: '10.0.0.99' },
      ],
      'ALL_VMIDS_ENDPOINTS.md': [
        { vmid: 101, name: 'db', addresses: ['10.0.0.4'] },
        { vmid: 777, name: 'gone' },
      ],
    },
    findings: [
      aFinding({
        identity: { kind: 'GUEST_NOT_DECLARED', subject: { kind: 'GUEST', id: 'main/103@1' }, field: '' },
        evidence: [{ source: 'proxmox:main', text: 'listed on pve1', at: THEN }],
      }),
      aFinding({
        identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/101@1' }, field: 'name' },
        state: 'ACKNOWLEDGED',
        declaredBy: [{ field: 'name', value: 'db', source: 'ALL_VMIDS_ENDPOINTS.md', location: 'x:1', wins: true }],
      }),
    ],
    ...more,
  });
  const text = '{"version":1,"collectors":{"proxmox_guest_ipam":{"refresh_seconds":3600}}}';
  return { ...view, contract: { ...view.contract, text } };
}

function aDifference(kind: DriftFindingKind, subject: Subject, more: Partial<Difference> = {}): Difference {
  const identity = { kind, subject, field: '', ...more.identity };
  return {
    id: findingId(identity),
    severity: 'WARNING',
    category: 'NETWORK',
    declared: null,
    observed: null,
    declaredBy: [],
    evidence: [],
    message: 'they differ',
    guests: [],
    clusters: [],
    onsetAfter: null,
    onsetBefore: null,
    swallowers: [],
    swallowedBy: undefined,
    ...more,
    identity,
  };
}

const guest = (id: string): Subject => ({ kind: 'GUEST', id });
const address = (id: string): Subject => ({ kind: 'ADDRESS', id });
const fact = (field: string, value: string, line: number): DeclaredFact => {
  const source = 'ALL_VMIDS_ENDPOINTS.md';
  return { field, value, source, location: `${source}:${line}`, wins: line === 1 };
};

/** One of each kind that the raw lists speak of. */
const DIFFERENCES: readonly Difference[] = [
  aDifference('GUEST_NOT_DECLARED', guest('main/103@1'), { guests: ['main/103@1'] }),
  aDifference('GUEST_MISSING', guest('main/777'), { clusters: ['main'] }),
  aDifference('NAME_DIFFERS', guest('main/101@1'), {
    identity: { kind: 'NAME_DIFFERS', subject: guest('main/101@1'), field: 'name' },
    guests: ['main/101@1'],
    declared: 'db',
    observed: 'db-old',
    declaredBy: [fact('name', 'db', 1)],
  }),
  aDifference('ADDRESS_NOT_DECLARED', address('10.0.0.30'), { guests: ['main/101@1'] }),
  aDifference('DUPLICATE_ADDRESS', address('10.0.0.7'), { guests: ['main/100@1', 'main/102@1'] }),
  aDifference('DECLARATIONS_CONFLICT', guest('main/101'), {
    identity: { kind: 'DECLARATIONS_CONFLICT', subject: guest('main/101'), field: 'name' },
    clusters: ['main'],
    declaredBy: [fact('name', 'db', 1), fact('name', 'database', 9)],
  }),
];

/** The shim over a real server, with the real verbs over a view built by hand. */
export async function openRest(what: { view?: InventoryView; principal?: Principal } = {}) {
  const state = { view: what.view ?? anEstate(), now: NOW };
  const inventory = inventoryOver(() => state.view, { now: NOW, differences: DIFFERENCES });
  const facts = restFacts({ view: () => state.view, now: () => state.now });
  const principal = what.principal ?? caller(['viewer']);
  const server = await openServer({
    rest: restRoutes({ inventory, facts }),
    authenticate: async (headers) => (headers['x-api-key'] === undefined ? undefined : principal),
  });
  const json = async (path: string) => (await (await server.askWithKey(path)).json()) as Record<string, unknown>;
  return { ...server, state, json };
}
