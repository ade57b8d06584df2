import {
  type HostSettings,
  type NetboxSettings,
  type NpmSettings,
  Secret,
  type TlsPin,
  type UnifiSettings,
} from '../domain/settings.js';
import type { EntryContext } from './cluster-entry.js';
import type { Fields } from './fields.js';
import { NETBOX_INSTEAD, NPM_INSTEAD, neverWritten, SSH_KEYS, UNIFI_INSTEAD } from './instead.js';
import { allowOnly, entryDoubts } from './named-entries.js';
import { namedSecret, secretKeys } from './named-secret.js';
import { peerUrl } from './peer-url.js';
import type { EntryDoubts } from './proxmox-api-entry.js';
import { REFUSED_KEYS, sshEntry } from './ssh-entry.js';
import { tlsPin } from './tls-pin.js';

const COLLECT = ['neighbours', 'hardware'] as const;
const NOTHING = new Secret('');

/** Reads an entry of `hosts`. `clusters`: the names of ours that it may belong to. */
export function hostEntry(
  name: string,
  fields: Fields,
  clusters: readonly string[],
  context: EntryContext,
): HostSettings {
  const doubts = entryDoubts(context);
  allowOnly(fields, ['name', 'cluster', 'collect', ...SSH_KEYS], doubts, { refused: REFUSED_KEYS, by: 'hostKey' });
  const strict = fields.reportingTo(doubts.breaks);
  const cluster = hostCluster(strict, clusters);
  const collect = collected(strict);
  const ssh = sshEntry(sshPart(fields), fields.path, context.needs, { report: () => {}, breaks: doubts.breaks });
  return { name, cluster, broken: doubts.broken(), ssh, collect };
}

/** As `ssh` of a cluster has it, but for `insecure`, which is refused for every entry alike. */
function sshPart(fields: Fields): Readonly<Record<string, unknown>> {
  const keys = [...SSH_KEYS, ...REFUSED_KEYS].filter((key) => key !== 'insecure' && fields.raw(key) !== undefined);
  return Object.fromEntries(keys.map((key) => [key, fields.raw(key)]));
}

function hostCluster(fields: Fields, clusters: readonly string[]): string {
  const [only] = clusters;
  if (fields.raw('cluster') === undefined) {
    if (clusters.length === 1 && only !== undefined) return only;
    fields.report('cluster', 'is missing: name the cluster that the host is a node of');
    return '';
  }
  const cluster = fields.text('cluster');
  if (cluster !== undefined && !clusters.includes(cluster)) fields.report('cluster', noneOf(cluster, clusters));
  return cluster ?? '';
}

function collected(fields: Fields): HostSettings['collect'] {
  if (fields.raw('collect') === undefined) return COLLECT;
  const list = fields.list('collect') ?? [];
  if (Array.isArray(fields.raw('collect')) && list.length === 0)
    fields.report('collect', `collects nothing: name ${COLLECT.join(' or ')}, or leave it out`);
  for (const [index, word] of list.entries())
    if (!COLLECT.some((known) => known === word))
      fields.reportItem('collect', index, `must be one of ${COLLECT.join(', ')}`);
  return COLLECT.filter((word) => list.includes(word));
}

/** URL and pin of a service: a token must not go to a peer that was not meant, so each doubt about them breaks the entry. */
function peerOf(
  fields: Fields,
  example: string,
  context: EntryContext,
  doubts: EntryDoubts,
): { url: string; tls: TlsPin } {
  const strict = fields.reportingTo(doubts.breaks);
  strict.require(['url']);
  const tls = tlsPin(strict, (file) => context.needs.file(file)) ?? { kind: 'system' };
  if (fields.raw('url') === undefined) return { url: '', tls };
  const read = peerUrl(fields.raw('url'), { path: 'kept', example });
  if (read.kind === 'refused') strict.report('url', read.message);
  else if (read.warning !== null) doubts.warn([...fields.path, 'url'], read.warning);
  return { url: read.kind === 'usable' ? read.url : '', tls };
}

/** What an address of each product looks like, for whoever has to mend one. */
const EXAMPLE = {
  npm: 'https://192.168.11.20:81',
  unifi: 'https://192.168.11.1, or https://192.168.11.1:8443 without UniFi OS',
  netbox: 'https://netbox.example.org',
} as const;

const PEER_KEYS = ['name', 'url', 'tlsFingerprint', 'caFile'];

export function npmEntry(name: string, fields: Fields, context: EntryContext): NpmSettings {
  const doubts = entryDoubts(context);
  allowOnly(fields, [...PEER_KEYS, 'identity', ...secretKeys('secret')], doubts, { instead: NPM_INSTEAD });
  const strict = fields.reportingTo(doubts.breaks);
  const peer = peerOf(fields, EXAMPLE.npm, context, doubts);
  withoutApi(strict, peer.url);
  strict.require(['identity']);
  const identity = strict.text('identity') ?? '';
  const secret = namedSecret(strict, 'secret', context.needs) ?? NOTHING;
  return { name, broken: doubts.broken(), ...peer, identity, secret };
}

export function unifiEntry(name: string, fields: Fields, context: EntryContext): UnifiSettings {
  const doubts = entryDoubts(context);
  allowOnly(fields, [...PEER_KEYS, 'site', 'username', ...secretKeys('password'), ...secretKeys('apiKey')], doubts, {
    instead: UNIFI_INSTEAD,
  });
  const strict = fields.reportingTo(doubts.breaks);
  const peer = peerOf(fields, EXAMPLE.unifi, context, doubts);
  const site = strict.text('site') ?? 'default';
  const login = unifiLogin(strict, context);
  return { name, broken: doubts.broken(), ...peer, site, login };
}

/** One way to sign in: a key where there is one, since it needs no session and can be taken back alone. */
function unifiLogin(strict: Fields, context: EntryContext): UnifiSettings['login'] {
  const hasKey = secretKeys('apiKey').some((key) => strict.raw(key) !== undefined);
  const hasUser = strict.raw('username') !== undefined;
  if (hasKey && hasUser) strict.report('username', 'and an apiKey are both written: keep one of them');
  if (!hasKey && !hasUser)
    strict.report('apiKeyEnv', 'or apiKeyFile is missing (or username with passwordEnv or passwordFile)');
  if (!hasUser) refuseLonePassword(strict);
  if (!hasUser)
    return { kind: 'apiKey', key: hasKey ? (namedSecret(strict, 'apiKey', context.needs) ?? NOTHING) : NOTHING };
  const username = strict.text('username') ?? '';
  return { kind: 'password', username, password: namedSecret(strict, 'password', context.needs) ?? NOTHING };
}

/** Without a username a password opens nothing, and one that is written out is in every copy of the file. */
function refuseLonePassword(strict: Fields): void {
  const [open, ...named] = secretKeys('password');
  if (open !== undefined && strict.raw(open) !== undefined) strict.report(open, neverWritten(...named));
  for (const key of named)
    if (strict.raw(key) !== undefined) strict.report(key, 'stands without a username: write both, or an apiKey alone');
}

/** `clusters`: the names of ours that NetBox's may stand for. */
export function netboxEntry(
  name: string,
  fields: Fields,
  clusters: readonly string[],
  context: EntryContext,
): NetboxSettings {
  const doubts = entryDoubts(context);
  allowOnly(fields, [...PEER_KEYS, ...secretKeys('token'), 'vmidField', 'clusters', 'vrfScopes'], doubts, {
    instead: NETBOX_INSTEAD,
  });
  const strict = fields.reportingTo(doubts.breaks);
  const peer = peerOf(fields, EXAMPLE.netbox, context, doubts);
  withoutApi(strict, peer.url);
  const token = namedSecret(strict, 'token', context.needs) ?? NOTHING;
  const vmidField = strict.text('vmidField') ?? 'vmid';
  if (!/^[a-z0-9_]+$/.test(vmidField))
    strict.report('vmidField', 'must be the name of a custom field: small letters, digits and underscores');
  const mapped = textMap(strict, 'clusters');
  // A cluster that is mistyped would put its VMs out of sight, and what was found of them would be over.
  for (const [from, to] of Object.entries(mapped))
    if (!clusters.includes(to)) strict.map('clusters')?.report(from, noneOf(to, clusters));
  const vrfScopes = textMap(strict, 'vrfScopes');
  return { name, broken: doubts.broken(), ...peer, token, vmidField, clusters: mapped, vrfScopes };
}

function noneOf(cluster: string, clusters: readonly string[]): string {
  return `"${cluster}" is none of the clusters above (${clusters.join(', ') || 'there are none'})`;
}

/** Behind the host alone: a host may be called api. */
function withoutApi(strict: Fields, url: string): void {
  if (/[^/]\/api$/.test(url)) strict.report('url', 'must be written without /api: that is added to it');
}

function textMap(fields: Fields, key: string): Readonly<Record<string, string>> {
  const map = fields.raw(key) === undefined ? undefined : fields.map(key);
  const entries = (map?.keys() ?? []).flatMap((name) => {
    const text = map?.text(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(entries);
}
