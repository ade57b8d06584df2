import { ipAddress } from '../../domain/address.js';
import type {
  NpmCertificate,
  NpmProxyHost,
  NpmRedirection,
  NpmStream,
  ObservedRecord,
  ProxyTarget,
} from '../../domain/record.js';
import type { Instant } from '../../domain/time.js';
import { plainText } from '../understood.js';
import { type WireObject, wireFlag, wireInteger, wireObject, wireObjects } from '../wire-values.js';

/** The kinds of record that the proxy manager has, with the list each is read from. */
export const NPM_LISTS = [
  { kind: 'npm.proxy_host', path: '/api/nginx/proxy-hosts', what: 'proxy hosts' },
  { kind: 'npm.redirection', path: '/api/nginx/redirection-hosts', what: 'redirections' },
  { kind: 'npm.stream', path: '/api/nginx/streams', what: 'streams' },
  { kind: 'npm.certificate', path: '/api/nginx/certificates', what: 'certificates' },
] as const;
export type NpmKind = (typeof NPM_LISTS)[number]['kind'];

/** One row as a record, or why it is none. */
export function npmRecord(kind: NpmKind, row: WireObject): ObservedRecord | string {
  const id = wireInteger(row.id);
  if (id === undefined || id < 1) return 'a row without an id';
  const rest = { key: String(id), seenAt: null };
  switch (kind) {
    case 'npm.proxy_host':
      return named(id, proxyHost(id, row), (body) => ({ kind, ...rest, body }));
    case 'npm.redirection':
      return named(id, redirection(id, row), (body) => ({ kind, ...rest, body }));
    case 'npm.stream':
      return named(id, stream(id, row), (body) => ({ kind, ...rest, body }));
    case 'npm.certificate':
      return { kind, ...rest, body: certificate(id, row) };
  }
}

function named<B extends object>(id: number, body: B | string, record: (body: B) => ObservedRecord) {
  return typeof body === 'string' ? `id ${id}: ${body}` : record(body);
}

function proxyHost(id: number, row: WireObject): NpmProxyHost | string {
  const target = proxyTarget(row.forward_scheme, row.forward_host, row.forward_port);
  if (typeof target === 'string') return target;
  const locations: NpmProxyHost['locations'][number][] = [];
  // Rows that are older than the locations have null.
  for (const location of wireObjects(row.locations) ?? []) {
    const to = proxyTarget(location.forward_scheme, location.forward_host, location.forward_port);
    if (typeof to === 'string') return `its location ${plainText(location.path) ?? ''}: ${to}`;
    locations.push({ path: plainText(location.path) ?? '/', target: to });
  }
  const enabled = wireFlag(row.enabled) ?? true;
  return {
    ...{ id, domainNames: domainNames(row), target, locations, enabled },
    certificateId: certificateId(row),
    sslForced: wireFlag(row.ssl_forced) ?? false,
    error: enabled ? nginxError(row) : null,
  };
}

function redirection(id: number, row: WireObject): NpmRedirection | string {
  const forwardDomain = plainText(row.forward_domain_name);
  if (forwardDomain === null) return 'it redirects to no domain';
  return {
    ...{ id, domainNames: domainNames(row), forwardDomain },
    httpCode: wireInteger(row.forward_http_code) ?? null,
    enabled: wireFlag(row.enabled) ?? true,
    certificateId: certificateId(row),
  };
}

function stream(id: number, row: WireObject): NpmStream | string {
  const incomingPort = portNumber(row.incoming_port);
  if (incomingPort === undefined) return `its incoming port ${said(row.incoming_port)} is none`;
  const target = proxyTarget(null, row.forwarding_host, row.forwarding_port);
  if (typeof target === 'string') return target;
  return {
    ...{ id, incomingPort, target },
    tcp: wireFlag(row.tcp_forwarding) ?? false,
    udp: wireFlag(row.udp_forwarding) ?? false,
    enabled: wireFlag(row.enabled) ?? true,
  };
}

function certificate(id: number, row: WireObject): NpmCertificate {
  const names = domainNames(row);
  return {
    ...{ id, provider: plainText(row.provider) ?? 'other', domainNames: names },
    name: plainText(row.nice_name) ?? names[0] ?? `certificate ${id}`,
    notAfter: npmInstant(row.expires_on),
  };
}

/** The host as typed may be bracketed, and in a location carry a path (`10.0.0.5/app`). */
function proxyTarget(scheme: unknown, host: unknown, port: unknown): ProxyTarget | string {
  const text = plainText(host);
  const number = portNumber(port);
  if (text === null) return 'it sends to no host';
  if (number === undefined) return `the port ${said(port)} that it sends to is none`;
  const literal = text.replace(/\/.*$/, '').replace(/^\[(.*)\]$/, '$1');
  return { scheme: plainText(scheme), host: text, address: ipAddress(literal) ?? null, port: number };
}

function portNumber(value: unknown): number | undefined {
  const port = wireInteger(value);
  return port !== undefined && port >= 1 && port <= 65_535 ? port : undefined;
}

function said(value: unknown): string {
  return JSON.stringify(plainText(value) ?? value ?? null);
}

/** Sorted, so that a database that gives them in another order changes nothing. */
function domainNames(row: WireObject): readonly string[] {
  const names = Array.isArray(row.domain_names) ? row.domain_names : [];
  return names.flatMap((name) => plainText(name)?.toLowerCase() ?? []).sort();
}

/** 0 stands for none. */
function certificateId(row: WireObject): number | null {
  const id = wireInteger(row.certificate_id);
  return id === undefined || id < 1 ? null : id;
}

function nginxError(row: WireObject): string | null {
  const meta = wireObject(row.meta);
  if (meta === undefined || wireFlag(meta.nginx_online) !== false) return null;
  return plainText(meta.nginx_err) ?? 'nginx did not take its config';
}

/** `2025-10-28T01:10:26.000Z`, or as SQLite keeps it, `2024-07-11 13:16:34`, in UTC as the container's clock. */
export function npmInstant(value: unknown): Instant | null {
  if (typeof value !== 'string') return null;
  const [, day, time, zone] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(value) ?? [];
  const at = Date.parse(`${day}T${time}${zone ?? 'Z'}`);
  return Number.isNaN(at) ? null : at;
}
