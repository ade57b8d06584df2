import type { Guest, SimNode } from '../guest.js';
import { type Answer, badParameters, data, failure, forbidden, nodeUnreachable, notImplemented } from './answers.js';
import { configText } from './guest-config.js';
import { agentText, containerText } from './guest-interfaces.js';
import { wireText } from './json.js';
import { clusterLog, clusterStatus, clusterTasks, nodeNetwork, nodeStatus, osInfo, versionOf } from './node-answers.js';
import { disksList, pciList, updatesList } from './node-hardware.js';
import { containers, current, machines, nodes } from './node-lists.js';
import { type Parameters, SWITCH, wrongParameters } from './parameters.js';
import type { Resources } from './resources.js';
import type { Sight } from './sight.js';

export interface Waits {
  /** How long Proxmox waits for a guest agent before it says that none is running: 3 s. */
  readonly agentMs: number;
  /** How long a proxying node waits for another: 30 s. */
  readonly proxyMs: number;
}

/** One call, as the routes see it. */
export interface Call {
  readonly sight: Sight;
  readonly resources: Resources;
  readonly waits: Waits;
  /** Without `/api2/json`, as in the API viewer. */
  readonly path: string;
  readonly node: string;
  readonly vmid: number;
  readonly query: ReadonlyMap<string, string>;
}

interface Route {
  readonly parameters: Parameters;
  /** Refused without these (any of several): the path they are asked on is `/`, the node's or the guest's. */
  readonly needs?: 'Sys.Audit /' | 'Sys.Audit node' | 'Sys.Modify node' | 'guest' | 'agent';
  readonly answer: (call: Call) => Answer;
}

const NONE = {};
const KINDS = ['vm', 'storage', 'node', 'sdn'];

function route(parameters: Route['parameters'], answer: Route['answer'], needs?: Route['needs']): Route {
  return { parameters, answer, ...(needs === undefined ? {} : { needs }) };
}

/** Text of a value in this call's own key order. */
function told(read: (call: Call) => unknown): Route['answer'] {
  return (call) => data(wireText(read(call), call.sight.random));
}

function ofGuest(answer: (call: Call, guest: Guest) => Answer): Route['answer'] {
  return (call) => {
    const guest = guestHere(call);
    return 'status' in guest ? guest : answer(call, guest);
  };
}

const status = ofGuest((call, guest) => data(wireText(current(call.sight, guest), call.sight.random)));
const config = ofGuest(({ sight }, guest) => data(configOf(sight, guest)));

const ROUTES: Readonly<Record<string, Route>> = {
  '/version': route(
    NONE,
    told(({ sight }) => versionOf(sight.estate.version)),
  ),
  '/cluster/status': route(
    NONE,
    told(({ sight }) => clusterStatus(sight)),
    'Sys.Audit /',
  ),
  '/cluster/resources': route({ type: KINDS }, ({ resources, query }) => data(resources.text(query.get('type')))),
  '/cluster/tasks': route(
    NONE,
    told(({ sight }) => clusterTasks(sight)),
  ),
  '/cluster/log': route(
    { max: 1 },
    told(({ sight, query }) => clusterLog(sight, Number(query.get('max') ?? 50))),
  ),
  '/cluster/nextid': route({ vmid: 100 }, nextId),
  '/access/permissions': route(
    { path: 'any', userid: 'any' },
    told(({ sight }) => permissions(sight)),
  ),
  '/nodes': route(
    NONE,
    told(({ sight }) => nodes(sight)),
  ),
  '/nodes/{node}/version': route(
    NONE,
    told(({ sight }) => versionOf(sight.estate.version)),
  ),
  '/nodes/{node}/status': route(
    NONE,
    told((call) => nodeStatus(call.sight, nodeHere(call))),
    'Sys.Audit node',
  ),
  '/nodes/{node}/network': route(
    { type: 'any' },
    told((call) => nodeNetwork(call.sight, nodeHere(call), call.query.get('type'))),
  ),
  '/nodes/{node}/disks/list': route(
    { skipsmart: SWITCH, 'include-partitions': SWITCH, type: ['unused', 'journal_disks'] },
    told(({ sight, node, query }) => disksList(sight, node, query.get('skipsmart') === '1', query.get('type'))),
    'Sys.Audit node',
  ),
  '/nodes/{node}/hardware/pci': route(
    { 'pci-class-blacklist': 'any', verbose: SWITCH },
    told(({ sight, node, query }) =>
      pciList(sight, node, query.get('pci-class-blacklist'), query.get('verbose') !== '0'),
    ),
    'Sys.Audit /',
  ),
  '/nodes/{node}/apt/update': route(
    NONE,
    told(({ sight, node }) => updatesList(sight, node)),
    'Sys.Modify node',
  ),
  '/nodes/{node}/qemu': route(
    { full: SWITCH },
    told(({ sight, node, query }) => machines(sight, node, query.get('full') === '1')),
  ),
  '/nodes/{node}/lxc': route(
    NONE,
    told(({ sight, node }) => containers(sight, node)),
  ),
  '/nodes/{node}/qemu/{vmid}/config': route({ current: SWITCH, snapshot: 'any' }, config, 'guest'),
  '/nodes/{node}/lxc/{vmid}/config': route({ current: SWITCH, snapshot: 'any' }, config, 'guest'),
  '/nodes/{node}/qemu/{vmid}/status/current': route(NONE, status, 'guest'),
  '/nodes/{node}/lxc/{vmid}/status/current': route(NONE, status, 'guest'),
  '/nodes/{node}/lxc/{vmid}/interfaces': route(
    NONE,
    ofGuest((_, guest) => data(interfacesOf(guest))),
    'guest',
  ),
  '/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces': agent((guest) => interfacesOf(guest)),
  '/nodes/{node}/qemu/{vmid}/agent/get-osinfo': agent((guest) => JSON.stringify(osInfo(guest.system))),
  '/nodes/{node}/qemu/{vmid}/agent/get-host-name': agent(({ name }) => `{"result":{"host-name":"${name}"}}`),
};

/** Which route a path means, and what it names; undefined where the API has no such path. */
function routed(path: string): { readonly route: Route; readonly node: string; readonly vmid: number } | undefined {
  const parts = path.split('/');
  let [node, vmid] = ['', 0];
  if (parts[1] === 'nodes' && parts.length > 2) {
    node = parts[2] ?? '';
    parts[2] = '{node}';
    if (parts.length > 4 && (parts[3] === 'qemu' || parts[3] === 'lxc')) {
      vmid = Number(parts[4]);
      parts[4] = '{vmid}';
    }
  }
  const route = ROUTES[parts.join('/')];
  return route === undefined ? undefined : { route, node, vmid };
}

/** Answers a GET whose credentials were good, in the order in which pveproxy checks: path, rights, node, parameters. */
export function answer(given: Omit<Call, 'node' | 'vmid'>): Answer {
  const { sight, path } = given;
  const { version } = sight.estate;
  const found = routed(path);
  if (found === undefined || (version === '7.4' && path.endsWith('/interfaces') && path.includes('/lxc/')))
    return notImplemented(version, 'GET', path);
  const call: Call = { ...given, node: found.node, vmid: found.vmid };
  const refused = refusedBy(call, found.route);
  if (refused !== undefined) return refused;
  const away = found.node === '' ? undefined : nodeAway(call);
  return away ?? wrongParameters(call, found.route.parameters) ?? found.route.answer(call);
}

function refusedBy({ sight, node, vmid }: Call, { needs }: Route): Answer | undefined {
  const { version } = sight.estate;
  if (needs === 'Sys.Audit /' && !sight.may('Sys.Audit')) return forbidden(version, '/', ['Sys.Audit']);
  if (needs === 'Sys.Audit node' && !sight.may('Sys.Audit')) return forbidden(version, `/nodes/${node}`, ['Sys.Audit']);
  if (needs === 'Sys.Modify node' && !sight.may('Sys.Modify'))
    return forbidden(version, `/nodes/${node}`, ['Sys.Modify']);
  if ((needs === 'guest' || needs === 'agent') && sight.isForbidden(vmid))
    return forbidden(version, `/vms/${vmid}`, ['VM.Audit']);
  if (needs === 'agent' && !sight.mayAskAgents())
    return forbidden(version, `/vms/${vmid}`, version === '9.1' ? AGENT_9 : ['VM.Monitor']);
  return undefined;
}

const AGENT_9 = ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'];

/** What comes of a call to a node that is down, hangs, or is none. */
function nodeAway({ sight, node, waits }: Call): Answer | undefined {
  const { version } = sight.estate;
  const known = sight.estate.node(node);
  if (known === undefined) {
    const why = `failed to get address info for: ${node}: Name or service not known`;
    return failure(version, 500, `hostname lookup '${node}' failed - ${why}`);
  }
  if (sight.nodeState(known) === 'offline') return nodeUnreachable('No route to host');
  return sight.isHung(known) ? nodeUnreachable('Connection timed out', waits.proxyMs) : undefined;
}

function nodeHere({ sight, node }: Call): SimNode {
  const found = sight.estate.node(node);
  if (found === undefined) throw new Error(`the call to ${node} was let through, and there is no such node`);
  return found;
}

/** The guest that a call names, if its config lies on that node; a guest that just moved is not there. */
function guestHere({ sight, path, node, vmid }: Call): Guest | Answer {
  const kind = path.includes('/qemu/') ? 'qemu' : 'lxc';
  const guest = sight.estate.has(vmid) ? sight.estate.guest(vmid) : undefined;
  if (guest?.kind === kind && guest.node === node) return guest;
  const folder = kind === 'qemu' ? 'qemu-server' : 'lxc';
  return failure(sight.estate.version, 500, `Configuration file 'nodes/${node}/${folder}/${vmid}.conf' does not exist`);
}

function agent(read: (guest: Guest) => string): Route {
  const asked = ofGuest(({ sight, waits }, guest) => {
    const { version } = sight.estate;
    if (guest.agent === 'none') return failure(version, 500, 'No QEMU guest agent configured');
    if (guest.power === 'stopped') return failure(version, 500, `VM ${guest.vmid} is not running`);
    const dead = guest.agent === 'dead' || guest.power === 'paused' || sight.faults.now.agentsDead.includes(guest.vmid);
    if (dead) return { ...failure(version, 500, 'QEMU guest agent is not running'), delayMs: waits.agentMs };
    return data(read(guest));
  });
  return route(NONE, asked, 'agent');
}

/** Open to every token, so that it also tells of guests that the lists leave out. */
function nextId({ sight, query }: Call): Answer {
  const asked = query.get('vmid');
  if (asked === undefined) {
    let free = 100;
    while (sight.estate.has(free)) free += 1;
    return data(`"${free}"`);
  }
  if (!sight.estate.has(Number(asked))) return data(`"${asked}"`);
  return badParameters(sight.estate.version, { vmid: `VM ${asked} already exists` });
}

function permissions(sight: Sight): object {
  const rights = Object.fromEntries(sight.privileges().map((privilege) => [privilege, 1]));
  return Object.fromEntries(['/', '/nodes', '/vms', '/storage', '/pool', '/sdn', '/access'].map((p) => [p, rights]));
}

/** A guest is a new object whenever something of it changes: what was written for the old one is never used again. */
const configs = new WeakMap<Guest, string>();
const interfaces = new WeakMap<Guest, string>();

function configOf({ estate }: Sight, guest: Guest): string {
  return kept(configs, guest, () => configText(guest, { version: estate.version, cluster: estate.index }));
}

function interfacesOf(guest: Guest): string {
  return kept(interfaces, guest, () => (guest.kind === 'qemu' ? agentText(guest) : containerText(guest)));
}

function kept(texts: WeakMap<Guest, string>, guest: Guest, make: () => string): string {
  const known = texts.get(guest);
  if (known !== undefined) return known;
  const made = make();
  texts.set(guest, made);
  return made;
}
