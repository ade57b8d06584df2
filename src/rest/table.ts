import type { SchemaName } from './schemas.js';

export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly words?: readonly string[];
}

/** A route as the document describes it; `routes.ts` has an answer for each. */
export interface RouteEntry {
  /** With `{name}` for a parameter, as OpenAPI writes it. */
  readonly path: string;
  readonly operation: string;
  readonly summary: string;
  readonly query: readonly Parameter[];
  readonly schema: SchemaName;
  /** Statuses beyond 200, 304, 401, 403, 429, 500 and 503, which any route may answer with. */
  readonly refusals: readonly (400 | 404 | 409)[];
}

const CLUSTER: Parameter = { name: 'cluster', description: 'Only what belongs to this cluster' };
const NODE: Parameter = { name: 'node', description: 'Only this node, and the guests on it' };
const NODE_ONLY: Parameter = { name: 'node', description: 'Only this node' };
const STATUS: Parameter = {
  name: 'status',
  description: 'Only guests with this status; paused ones are running',
  words: ['running', 'stopped', 'unknown'],
};
const NODE_STATUS: Parameter = {
  name: 'status',
  description: 'Only nodes with this status',
  words: ['online', 'offline', 'unknown'],
};
const WHICH: Parameter = { name: 'cluster', description: 'Which cluster, where several have the VMID' };

export const ROUTES = {
  summary: {
    path: '/v1/summary',
    operation: 'summary',
    summary: 'The estate in figures: clusters, nodes, guests, drift, collectors, health',
    query: [],
    schema: 'Summary',
    refusals: [],
  },
  live: {
    path: '/v1/inventory/live',
    operation: 'inventoryLive',
    summary: 'Nodes and guests as last collected',
    query: [NODE, STATUS, CLUSTER],
    schema: 'Live',
    refusals: [400],
  },
  guests: {
    path: '/v1/inventory/guests',
    operation: 'inventoryGuests',
    summary: 'Guests as last collected',
    query: [NODE, STATUS, CLUSTER],
    schema: 'Guests',
    refusals: [400],
  },
  guest: {
    path: '/v1/inventory/guests/{vmid}',
    operation: 'inventoryGuest',
    summary: 'One guest; 409 names the clusters where several have the VMID and none is asked for',
    query: [WHICH],
    schema: 'OneGuest',
    refusals: [400, 404, 409],
  },
  nodes: {
    path: '/v1/inventory/nodes',
    operation: 'inventoryNodes',
    summary: 'Nodes as last collected',
    query: [NODE_STATUS, CLUSTER],
    schema: 'Nodes',
    refusals: [400],
  },
  npm: {
    path: '/v1/inventory/npm',
    operation: 'inventoryNpm',
    summary: 'Proxy hosts, redirections, streams and certificates of Nginx Proxy Manager',
    query: [],
    schema: 'Npm',
    refusals: [],
  },
  unifi: {
    path: '/v1/inventory/unifi',
    operation: 'inventoryUnifi',
    summary: 'Devices with their ports, networks and clients of the UniFi controllers',
    query: [],
    schema: 'Unifi',
    refusals: [],
  },
  neighbours: {
    path: '/v1/inventory/neighbours',
    operation: 'inventoryNeighbours',
    summary: 'Who answered for which address, by the neighbour tables of the hosts',
    query: [CLUSTER],
    schema: 'Neighbours',
    refusals: [],
  },
  hardware: {
    path: '/v1/inventory/hardware',
    operation: 'inventoryHardware',
    summary: 'Parts, disk health and waiting updates of the nodes',
    query: [CLUSTER, NODE_ONLY],
    schema: 'Hardware',
    refusals: [],
  },
  joinedPortMap: {
    path: '/v1/portmap/joined',
    operation: 'portMapJoined',
    summary: 'Public names on their way: proxy, address, guest, node, switch port',
    query: [],
    schema: 'JoinedPortMap',
    refusals: [],
  },
  drift: {
    path: '/v1/inventory/drift',
    operation: 'inventoryDrift',
    summary: 'Where the estate and what was written down about it differ: facts, and findings',
    query: [],
    schema: 'Drift',
    refusals: [],
  },
  contract: {
    path: '/v1/collector-contract',
    operation: 'collectorContract',
    summary: 'The contract of the collectors, byte for byte',
    query: [],
    schema: 'CollectorContractFile',
    refusals: [],
  },
  openapi: {
    path: '/v1/openapi.json',
    operation: 'openapi',
    summary: 'This document',
    query: [],
    schema: 'OpenApiDocument',
    refusals: [],
  },
} as const satisfies Readonly<Record<string, RouteEntry>>;
export type RouteName = keyof typeof ROUTES;
