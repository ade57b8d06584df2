import { afterEach } from 'vitest';
import type { KnownCluster, Outcome, PartRead, ProxmoxObservation, ReadPlan } from '../../../src/domain/observation.js';
import { type ClusterSettings, Secret, type TlsPin } from '../../../src/domain/settings.js';
import { type ProxmoxSource, proxmoxSource } from '../../../src/sources/proxmox/source.js';
import type { HttpsLimits } from '../../../src/sources/transport/https.js';
import { sha256Of } from '../scripted-server.js';
import { known, T0 } from './known.js';
import { type ScriptedPve, scriptedPve } from './scripted-pve.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

export const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
  open.push(opened);
  return opened;
};
export const pve = async (
  guests: readonly object[],
  ...more: [] | [Parameters<typeof scriptedPve>[1]]
): Promise<ScriptedPve> => keep(await scriptedPve(guests, ...more));

export const SECRET = '8d3f0f0e-secret';
const pin: TlsPin = { kind: 'fingerprint', sha256: [sha256Of('node')] };

export function settings(urls: readonly string[], more: Partial<ClusterSettings> = {}): ClusterSettings {
  const api = { urls, tokenId: 'it@pve!read', tokenSecret: new Secret(SECRET), tls: pin };
  const rest = { pollSeconds: 10, readsPerPoll: 50, addressScope: 'default', addressScopes: [] };
  return { name: 'lab', broken: null, api, ssh: null, ...rest, ...more };
}

export function source(
  servers: readonly { url: string }[],
  limits: Partial<HttpsLimits> = {},
  now = () => T0,
): ProxmoxSource {
  const urls = servers.map(({ url }) => url);
  return keep(proxmoxSource(settings(urls), { now, limits: { backOffMs: 2, ...limits } }));
}

export const all: ReadPlan = { mode: 'all', slice: 0, asked: [] };
export const slice = (count: number, ...asked: ReadPlan['asked']): ReadPlan => ({ mode: 'slice', slice: count, asked });
export const never = () => new AbortController().signal;

export const collect = (of: ProxmoxSource, plan: ReadPlan = all, knows: KnownCluster = known()) =>
  of.collect({ known: knows, plan }, never());

export function observed(outcome: Outcome<ProxmoxObservation>): ProxmoxObservation {
  if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}
export const observe = async (...args: Parameters<typeof collect>) => observed(await collect(...args));
export const reason = async (...args: Parameters<typeof collect>) => {
  const outcome = await collect(...args);
  return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
};

/** `config 101 read`, `addresses 102 none: stopped`: sorted, without the values. */
export const told = (parts: readonly PartRead[]) =>
  parts
    .map(
      ({ key, result }) =>
        `${result.part} ${key} ${result.kind === 'read' ? 'read' : `${result.kind}: ${result.reason}`}`,
    )
    .sort();
export const partOf = (seen: ProxmoxObservation, part: string, key: string) =>
  seen.parts.map(({ key: of, result }) => ({ of, ...result })).find((each) => each.part === part && each.of === key);
