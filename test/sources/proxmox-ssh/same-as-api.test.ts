import { expect, it, onTestFinished } from 'vitest';
import type { PartRead, ProxmoxObservation } from '../../../src/domain/observation.js';
import { Secret } from '../../../src/domain/settings.js';
import type { Simulator } from '../../../src/simulator/simulator.js';
import { type ProxmoxSource, proxmoxSource } from '../../../src/sources/proxmox/source.js';
import { proxmoxSshSource } from '../../../src/sources/proxmox-ssh/source.js';
import { ask, NOW, type Row, rows, simulate } from '../../simulator/asking.js';
import { known, knownGuest, row } from '../proxmox/known.js';
import { all, observe, settings } from '../proxmox/source-rig.js';
import { describeSshd, startSshd } from '../sshd.js';
import { type FakeNode, type Folder, fakeNode } from './fake-node.js';

/** Makes a fake node say over SSH what the simulated cluster says over its API. */
async function mirror(simulator: Simulator, node: FakeNode): Promise<void> {
  for (const path of ['/cluster/resources', '/cluster/status', '/version'])
    node.answer(path, (await ask(simulator, path)).data);
  const listed = await rows(simulator, '/cluster/resources');
  for (const { node: name } of listed.filter(({ type }) => type === 'node'))
    node.answer(
      `/nodes/${String(name)}/qemu --full 1`,
      (await ask(simulator, `/nodes/${String(name)}/qemu?full=1`)).data,
    );
  for (const { type, node: name, vmid } of listed.filter((each) => each.type === 'qemu' || each.type === 'lxc')) {
    const { data } = await ask(simulator, `/nodes/${String(name)}/${String(type)}/${String(vmid)}/config`);
    const folder: Folder = type === 'lxc' ? 'lxc' : 'qemu-server';
    node.conf(String(name), folder, Number(vmid), confText(folder, data as Row));
  }
}

/** The file behind a config: some of it still pending, one device pending its end, and a snapshot of other times. */
function confText(folder: Folder, config: Row): string {
  const { digest: _, lxc, cores, ...options } = config;
  const raw = Array.isArray(lxc) ? (lxc as [string, string][]).map(([key, value]) => `${key}: ${value}`) : [];
  const lines = Object.entries(options).map(([key, value]) => `${key}: ${String(value)}`);
  return [
    ...[
      '#made for a test%0Anet0%3A none',
      ...lines,
      'cores: 99',
      'net30: virtio=BC:24:11:FF:FF:FF,bridge=vmbr0',
      ...raw,
    ],
    ...['', folder === 'lxc' ? '[pve:pending]' : '[PENDING]', `cores: ${String(cores)}`, 'delete: net30'],
    ...['', '[before]', 'cores: 98', 'net0: virtio=BC:24:11:FF:FF:FE,bridge=vmbr9', 'name: earlier', ''],
  ].join('\n');
}

const isAddresses = ({ result }: PartRead) => result.part === 'addresses';
/** The API also tells that a version has no call for containers; over SSH nothing is asked, so nothing is told. */
const isBoth = ({ result }: PartRead) =>
  result.part !== 'addresses' || (result.kind === 'none' && !result.reason.includes('no such call'));
const sorted = (parts: readonly PartRead[]) =>
  parts
    .map(({ key, result }) => ({ key, ...result }))
    .sort((a, b) => (`${a.part} ${a.key}` < `${b.part} ${b.key}` ? -1 : 1));
/** What both ways cover; times are of each way's own asking. */
const common = ({ notes: _, activityMark: __, askedAt: ___, parts, ...seen }: ProxmoxObservation) => ({
  ...seen,
  parts: sorted(parts.filter(isBoth)),
});

describeSshd('over SSH as over the API', () => {
  it.each(['7.4', '8.4', '9.1'] as const)('one estate, Proxmox %s, gives one observation', async (version) => {
    const simulator = await simulate({ nodes: 3, guests: 40, version, clusterName: 'lab' });
    const node = fakeNode();
    const sshd = await startSshd();
    const sources: ProxmoxSource[] = [];
    onTestFinished(async () => {
      await Promise.all(sources.map((each) => each.close()));
      await sshd.stop();
      node.end();
    });
    await mirror(simulator, node);
    const [cluster] = simulator.clusters;
    if (cluster === undefined) throw new Error('no cluster');
    const { url, fingerprint, tokenId, tokenSecret } = cluster;
    const sha256 = [fingerprint.replaceAll(':', '').toLowerCase()];
    const api = {
      urls: [url],
      tokenId,
      tokenSecret: new Secret(tokenSecret),
      tls: { kind: 'fingerprint' as const, sha256 },
    };
    const overApi = proxmoxSource(settings([], { api }), { now: () => NOW });
    const ssh = settings([], { api: null, ssh: sshd.settings() });
    const overSsh = proxmoxSshSource(ssh, { now: () => NOW, paths: node.paths, sudo: false });
    sources.push(overApi, overSsh);

    // One guest is known that the estate does not have any more.
    const knows = known([knownGuest(row(99_999))]);
    const [byApi, bySsh] = [await observe(overApi, all, knows), await observe(overSsh, all, knows)];
    expect(byApi.parts.filter(({ result }) => result.part === 'config').length).toBeGreaterThan(30);
    expect(common(bySsh)).toEqual(common(byApi));

    // What SSH does not cover, it does not speak of.
    const spoken = new Set(bySsh.parts.filter(isAddresses).map(({ key }) => key));
    const others = byApi.parts.filter((part) => isAddresses(part) && !spoken.has(part.key));
    expect(others.length).toBeGreaterThan(5);
    expect(bySsh.parts.filter((part) => isAddresses(part) && part.result.kind !== 'none')).toEqual([]);
  });
});
