import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Estate } from './estate.js';
import type { FaultSwitches, HttpFaults } from './fault-switches.js';
import { type Faults, readFaults, refuseUnknownNodes } from './faults.js';
import type { NodeState } from './guest.js';
import { netboxDeed } from './netbox-deeds.js';
import type { Surroundings } from './surroundings.js';
import { readNetboxFaults } from './wire/netbox/faults.js';
import { readServiceFaults } from './wire/service-faults.js';

export interface AdminNeeds {
  readonly token: string;
  readonly clusters: ReadonlyMap<string, { readonly estate: Estate; readonly faults: Faults }>;
  readonly services: Pick<Surroundings, 'npm' | 'unifi' | 'netbox'>;
}

export interface Admin {
  readonly url: string;
  stop(): Promise<void>;
}

const LONGEST_BODY = 100_000;

/**
 * The back door of a simulated estate, on the loopback and behind a token of its own:
 * `GET /_admin/faults`, `PUT /_admin/faults {cluster? | service?, …faults}`, `DELETE /_admin/faults`,
 * `POST /_admin/deeds {cluster? | service?, deed, vmid | node, …}`. Where none is named, all clusters are meant, and what
 * is asked or cleared is so of the services too. `lab-npm` is `sim-npm`.
 */
export async function startAdmin(needs: AdminNeeds): Promise<Admin> {
  const server = createServer((request, response) => {
    void take(needs, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function take(needs: AdminNeeds, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, value: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(value)}\n`);
  };
  if (!isSame(request.headers.authorization ?? '', `Bearer ${needs.token}`)) {
    send(401, { error: 'give the admin token: Authorization: Bearer …' });
    return;
  }
  try {
    const done = act(needs, `${request.method} ${request.url}`, await bodyOf(request));
    if (done === undefined) send(404, { error: `no such call: ${request.method} ${request.url}` });
    else send(200, done);
  } catch (error) {
    send(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > LONGEST_BODY) throw new Error(`the body is longer than ${LONGEST_BODY} characters`);
  }
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('give a JSON object');
  return parsed as Record<string, unknown>;
}

/** A cluster or a service, as the back door sees it. */
interface Target {
  readonly kind: 'cluster' | 'service';
  faults(): unknown;
  set(sent: unknown): void;
  clear(): void;
  deed(body: Record<string, unknown>): void;
}

function targetsOf({ clusters, services }: AdminNeeds): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const [name, { estate, faults }] of clusters) {
    const done = (body: Record<string, unknown>) => deed(estate, body);
    targets.set(name, { kind: 'cluster', ...switches(faults, readFaults), deed: done });
  }
  for (const { name, faults } of [...services.npm, ...services.unifi])
    targets.set(name, { kind: 'service', ...switches(faults, readServiceFaults), deed: () => noDeed(name) });
  for (const { name, faults, model } of services.netbox) {
    const done = (body: Record<string, unknown>) => netboxDeed(model, body);
    targets.set(name, { kind: 'service', ...switches(faults, readNetboxFaults), deed: done });
  }
  return targets;
}

function noDeed(name: string): never {
  throw new Error(`deed: there are none for ${name}`);
}

/** Faults of one kind behind a face that all kinds have. */
function switches<F extends HttpFaults>(faults: FaultSwitches<F>, read: (sent: unknown) => Partial<F>) {
  return {
    faults: () => faults.now,
    set: (sent: unknown) => faults.set(read(sent)),
    clear: () => faults.clear(),
  };
}

/** What a sources.yaml calls `lab-npm` is `sim-npm` here: names of the simulated estate are refused there. */
function ownName(given: unknown, known: ReadonlyMap<string, unknown>): unknown {
  if (typeof given !== 'string' || known.has(given)) return given;
  const own = given.replace(/^lab-/, 'sim-');
  return known.has(own) ? own : given;
}

function act(needs: AdminNeeds, call: string, body: Record<string, unknown>): unknown {
  const all = targetsOf(needs);
  const { cluster: givenCluster, service: givenService, ...rest } = body;
  const [cluster, service] = [ownName(givenCluster, all), ownName(givenService, all)];
  const name = service ?? cluster;
  const named = (kind: Target['kind'] | 'any') =>
    [...all].filter(([known, one]) => (name === undefined ? kind === 'any' || one.kind === kind : known === name));
  if (named('any').length === 0)
    throw new Error(
      `${service === undefined ? 'cluster' : 'service'}: no ${String(name)} here; there are ${[...all.keys()].join(', ')}`,
    );
  const faults = (kind: Target['kind'] | 'any') =>
    Object.fromEntries(named(kind).map(([known, one]) => [known, one.faults()]));
  switch (call) {
    case 'GET /_admin/faults':
      return faults('any');
    case 'PUT /_admin/faults':
      refuseUnknownNodes(rest, nodesOf(needs, named('cluster')));
      for (const [, one] of named('cluster')) one.set(rest);
      return faults('cluster');
    case 'DELETE /_admin/faults':
      for (const [, one] of named('any')) one.clear();
      return faults('any');
    case 'POST /_admin/deeds':
      // NetBox tells its own VMs apart by the cluster that they are in.
      for (const [, one] of named('cluster')) one.deed(service === undefined ? rest : { ...rest, cluster });
      return { done: true };
    default:
      return undefined;
  }
}

/** A node is known where one of the clusters that are meant has it. */
function nodesOf({ clusters }: AdminNeeds, named: readonly (readonly [string, Target])[]): readonly string[] {
  const all = named.flatMap(([name]) => clusters.get(name)?.estate.nodes() ?? []);
  return [...new Set(all.map(({ name }) => name))];
}

const NODE_STATES: readonly NodeState[] = ['online', 'offline', 'maintenance'];

type Deed = (estate: Estate, body: Record<string, unknown>) => void;

export const DEEDS: Readonly<Record<string, Deed>> = {
  rename: (estate, body) => estate.rename(numberIn(body, 'vmid'), textIn(body, 'name')),
  setAddress: (estate, body) =>
    estate.setAddress(numberIn(body, 'vmid'), textIn(body, 'device'), textIn(body, 'address')),
  start: (estate, body) => estate.start(numberIn(body, 'vmid')),
  stop: (estate, body) => estate.stop(numberIn(body, 'vmid')),
  pause: (estate, body) => estate.pause(numberIn(body, 'vmid')),
  migrate: (estate, body) => estate.migrate(numberIn(body, 'vmid'), textIn(body, 'node')),
  destroy: (estate, body) => estate.destroy(numberIn(body, 'vmid')),
  recreate: (estate, body) => {
    estate.recreate(numberIn(body, 'vmid'));
  },
  create: (estate, body) => {
    estate.create({ vmid: numberIn(body, 'vmid'), name: textIn(body, 'name') });
  },
  setNode: (estate, body) => {
    const state = NODE_STATES.find((one) => one === body.state);
    if (state === undefined) throw new Error(`state: give one of ${NODE_STATES.join(', ')}`);
    estate.setNode(textIn(body, 'node'), state);
  },
  swapDisk: (estate, body) => estate.machines.swapDisk(textIn(body, 'node'), deviceIn(body)),
  failDisk: (estate, body) => estate.machines.failDisk(textIn(body, 'node'), deviceIn(body)),
  pullMemory: (estate, body) => estate.machines.pullMemory(textIn(body, 'node')),
  setQuorum: (estate, body) => estate.setQuorum(body.quorate === true),
};

function deed(estate: Estate, body: Record<string, unknown>): void {
  const wanted = typeof body.deed === 'string' && Object.hasOwn(DEEDS, body.deed) ? DEEDS[body.deed] : undefined;
  if (wanted === undefined) throw new Error(`deed: give one of ${Object.keys(DEEDS).join(', ')}`);
  wanted(estate, body);
}

/** `sda`; without one the first disk is meant. */
function deviceIn(body: Record<string, unknown>): string | undefined {
  return body.device === undefined ? undefined : textIn(body, 'device');
}

function numberIn(body: Record<string, unknown>, field: string): number {
  const value = body[field];
  if (typeof value !== 'number') throw new Error(`${field}: give a number`);
  return value;
}

function textIn(body: Record<string, unknown>, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || !/^[\w.:/;-]{1,200}$/.test(value)) throw new Error(`${field}: give a text`);
  return value;
}
