import { expect, it, onTestFinished } from 'vitest';
import type { PartRead, ProxmoxObservation } from '../../../src/domain/observation.js';
import { Secret } from '../../../src/domain/settings.js';
import { type ProxmoxSource, proxmoxSource } from '../../../src/sources/proxmox/source.js';
import { proxmoxSshSource } from '../../../src/sources/proxmox-ssh/source.js';
import { NOW, simulate } from '../../simulator/asking.js';
import { known, knownGuest, row } from '../proxmox/known.js';
import { all, observe, settings } from '../proxmox/source-rig.js';
import { describeSshd, startSshd } from '../sshd.js';
import { fakeNode } from './fake-node.js';
import { mirror } from './mirror.js';

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
