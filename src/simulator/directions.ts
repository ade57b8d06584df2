import { join } from 'node:path';
import type { IdentityFiles } from './identity.js';
import type { Simulator } from './simulator.js';

/** What points a gateway at a simulator that stands alone: a whole sources.yaml, its secrets named by their files. */
export function directions(simulator: Simulator, files: IdentityFiles): string {
  const { declaredDir, adminUrl } = simulator;
  const yaml = [
    ...list('clusters', clusters(simulator, files)),
    ...list('hosts', hosts(simulator, files)),
    ...list('npm', proxies(simulator, files)),
    ...list('unifi', controllers(simulator, files)),
    ...list('netbox', inventories(simulator, files)),
  ];
  return `# A simulated estate is up, until you press Ctrl-C. To point a gateway at it, put this into
# ${join(declaredDir, 'sources.yaml')}, beside its declared files:
${yaml.join('\n')}
# and start it with
#   export CONFIG_DIR=${declaredDir} IT_COLLECT_IP_NEIGH=1
# Break something (docs/operations.md lists what there is):
#   curl -X PUT -H "Authorization: Bearer $(cat ${files.adminToken})" -d '{"nodesDown":["pve01"]}' ${adminUrl}/_admin/faults`;
}

/** A name that begins with sim- is refused in sources.yaml: to a gateway that is pointed here, this is a real estate. */
function real(name: string): string {
  return name.replace(/^sim-/, 'lab-');
}

function list(key: string, entries: readonly (readonly string[])[]): string[] {
  if (entries.length === 0) return [];
  return [`${key}:`, ...entries.flatMap((lines) => lines.map((line, n) => `${n === 0 ? '  - ' : '    '}${line}`))];
}

function clusters(simulator: Simulator, { tokenSecret }: IdentityFiles): string[][] {
  return simulator.clusters.map(({ name, url, fingerprint, tokenId }) => [
    ...[`name: ${real(name)}`, 'api:', `  urls: [${url}]`, `  tokenId: ${tokenId}`],
    ...[`  tokenSecretFile: ${quoted(tokenSecret)}`, `  tlsFingerprint: "${fingerprint}"`],
  ]);
}

function hosts(simulator: Simulator, { sshKey }: IdentityFiles): string[][] {
  return simulator.hosts.map(({ name, cluster, host, port, user, hostKeyFingerprint }) => [
    ...[`name: ${name}`, `cluster: ${real(cluster)}`, `host: ${host}`, `port: ${port}`, `user: ${user}`],
    ...[`keyFile: ${quoted(sshKey)}`, `hostKeyFingerprint: "${hostKeyFingerprint}"`],
  ]);
}

function proxies(simulator: Simulator, { npm }: IdentityFiles): string[][] {
  return simulator.npm.map(({ name, url, fingerprint, identity }) => [
    ...[`name: ${real(name)}`, `url: ${url}`, `identity: ${identity}`, `secretFile: ${quoted(npm)}`],
    `tlsFingerprint: "${fingerprint}"`,
  ]);
}

function controllers(simulator: Simulator, { unifiPassword, unifiApiKey }: IdentityFiles): string[][] {
  return simulator.unifi.map(({ name, url, site, fingerprint, signIn, username }) => [
    ...[`name: ${real(name)}`, `url: ${url}`, `site: ${site}`],
    ...(signIn === 'apiKey'
      ? [`apiKeyFile: ${quoted(unifiApiKey)}`]
      : [`username: ${username}`, `passwordFile: ${quoted(unifiPassword)}`]),
    `tlsFingerprint: "${fingerprint}"`,
  ]);
}

function inventories(simulator: Simulator, { netboxToken }: IdentityFiles): string[][] {
  const ours = simulator.clusters.map(({ name }) => `${name}: ${real(name)}`).join(', ');
  return simulator.netbox.map(({ name, url, fingerprint }) => [
    ...[`name: ${real(name)}`, `url: ${url}`, `tokenFile: ${quoted(netboxToken)}`, `clusters: { ${ours} }`],
    `tlsFingerprint: "${fingerprint}"`,
  ]);
}

/** A path may hold what YAML takes for more than text. */
function quoted(path: string): string {
  return JSON.stringify(path);
}
