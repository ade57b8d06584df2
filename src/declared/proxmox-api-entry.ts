import type { ProxmoxApiSettings, Secret } from '../domain/settings.js';
import { Fields, type Report } from './fields.js';
import { API_INSTEAD, API_KEYS } from './instead.js';
import { namedSecret } from './named-secret.js';
import { type PeerForm, peerUrl } from './peer-url.js';
import { tlsPin } from './tls-pin.js';
import type { Path } from './yaml-file.js';

/** What the outside gives to the reading of `sources.yaml`. */
export interface SourcesNeeds {
  /** The secret that an environment variable names. */
  secret(name: string): Secret | undefined;
  /** The text of a file that a setting names; throws where it cannot be read. */
  file(path: string): string;
}

/** Where the doubts of one entry go. */
export interface EntryDoubts {
  /** Reported, and the entry stays in use. */
  readonly report: Report;
  /** Reported, and the entry must not be asked: a token could go to the wrong peer, or nothing could be compared rightly. */
  readonly breaks: Report;
  /** All is well, but a person should know. */
  readonly warn: Report;
}

const FORM: PeerForm = { path: 'refused', example: 'https://192.168.11.10:8006' };

/** Reads the `api` of a cluster; null where it cannot be used, which `doubts.breaks` was told. */
export function proxmoxApi(
  value: unknown,
  path: Path,
  needs: SourcesNeeds,
  doubts: EntryDoubts,
): ProxmoxApiSettings | null {
  const api = Fields.of(value, path, doubts.breaks);
  if (api === undefined) return null;
  Fields.of(value, path, doubts.report)?.allow([...API_KEYS, 'insecure', 'tokenSecret'], API_INSTEAD);
  refuseInsecure(api, doubts);
  const urls = urlsOf(api, doubts);
  const tokenId = tokenIdOf(api);
  const tokenSecret = namedSecret(api, 'tokenSecret', needs);
  const tls = tlsPin(api, (file) => needs.file(file));
  if (urls.length === 0 || tokenId === undefined || tokenSecret === undefined || tls === undefined) return null;
  return { urls, tokenId, tokenSecret, tls };
}

/** How to recognise a peer instead: its certificate, or its host key where it is reached over SSH. */
const VERIFIED_BY = {
  certificate: 'pin the certificate with tlsFingerprint, or name its authority with caFile',
  hostKey: 'pin the host key with hostKeyFingerprint',
} as const;
export type VerifiedBy = keyof typeof VERIFIED_BY;

export function refuseInsecure(fields: Fields, { report, breaks }: EntryDoubts, by: VerifiedBy = 'certificate'): void {
  const insecure = fields.raw('insecure');
  if (insecure === undefined) return;
  const path = [...fields.path, 'insecure'];
  if (insecure === false) report(path, 'is not a setting that exists: a peer is always verified');
  else breaks(path, `is refused: ${VERIFIED_BY[by]}`);
}

/** One bad URL of several is left out, as the others can still answer. */
function urlsOf(api: Fields, { report, breaks, warn }: EntryDoubts): string[] {
  if (isMissing(api, 'urls')) return [];
  const list = api.list('urls') ?? [];
  if (Array.isArray(api.raw('urls')) && list.length === 0) api.report('urls', 'is empty: name at least one URL');
  const urls: string[] = [];
  const refusals: (readonly [Path, string])[] = [];
  for (const [index, value] of list.entries()) {
    const path = [...api.path, 'urls', index];
    const read = peerUrl(value, FORM);
    if (read.kind === 'refused') refusals.push([path, read.message]);
    else if (urls.includes(read.url)) report(path, `${read.url} is written twice`);
    else urls.push(read.url);
    if (read.kind === 'usable' && read.warning !== null) warn(path, read.warning);
  }
  for (const [path, message] of refusals) (urls.length === 0 ? breaks : report)(path, message);
  return urls;
}

function tokenIdOf(api: Fields): string | undefined {
  if (isMissing(api, 'tokenId')) return undefined;
  const id = api.text('tokenId');
  if (id === undefined || /^[^\s@!:=]+@[A-Za-z][\w.-]*![A-Za-z][\w.-]*$/.test(id)) return id;
  // Not repeated: people append the secret here by mistake.
  api.report('tokenId', 'must look like user@realm!token, without the secret');
  return undefined;
}

function isMissing(fields: Fields, key: string): boolean {
  if (fields.raw(key) !== undefined) return false;
  fields.report(key, 'is missing');
  return true;
}
