import { expect, it, onTestFinished } from 'vitest';
import type { ObservedRecord, RecordKind, ServiceObservation } from '../../../src/domain/record.js';
import { Secret } from '../../../src/domain/settings.js';
import { startSshHosts } from '../../../src/simulator/ssh-hosts.js';
import { newSshIdentity } from '../../../src/simulator/ssh-keys.js';
import { hardwareApiSource } from '../../../src/sources/hardware/source.js';
import { simulate } from '../../simulator/asking.js';
import { T0 } from '../proxmox/known.js';
import { settings } from '../proxmox/source-rig.js';
import { both, collect, observed, sourcesOf } from './host-rig.js';

/** One simulated node, read both ways. */
async function readBothWays() {
  const simulator = await simulate({ nodes: 2, guests: 10 });
  const [cluster] = simulator.clusters;
  if (cluster === undefined) throw new Error('no cluster');
  const clusters = [{ estate: simulator.estate(cluster.name), faults: simulator.faults(cluster.name) }];
  const waits = { agentMs: 5, proxyMs: 5 };
  const opened = await startSshHosts({ clusters, identity: newSshIdentity(), waits, most: 1, ports: [] });
  onTestFinished(() => opened.stop());
  const [host] = opened.hosts;
  if (host === undefined) throw new Error('no host');
  const { name, privateKey, ...reached } = host;
  const ssh = { ...reached, passphrase: null, key: new Secret(privateKey) };
  const { hardware } = both(sourcesOf(ssh, {}, { name, cluster: cluster.name }));

  const sha256 = [cluster.fingerprint.toLowerCase().replaceAll(':', '')];
  const { url, tokenId, tokenSecret } = cluster;
  const api = {
    urls: [url],
    tokenId,
    tokenSecret: new Secret(tokenSecret),
    tls: { kind: 'fingerprint', sha256 },
  } as const;
  const overApi = hardwareApiSource(settings([], { name: cluster.name, api }), { now: () => T0, skip: () => [] });
  onTestFinished(() => overApi.close());
  return { node: name, ssh: observed(await collect(hardware)), api: observed(await collect(overApi)) };
}

function bodyOf<K extends RecordKind>({ records }: ServiceObservation, kind: K, node: string) {
  const found = records.find((record) => record.kind === kind && record.key === node);
  if (found === undefined) throw new Error(`no ${kind} of ${node}`);
  return found.body as Extract<ObservedRecord, { kind: K }>['body'];
}

it('a node has the same disks and the same verdicts on them over SSH and over the API', async () => {
  const { node, ssh, api } = await readBothWays();
  const told = (seen: ServiceObservation) => ({
    disks: bodyOf(seen, 'hardware', node).parts.filter(({ section }) => section === 'disks'),
    verdicts: bodyOf(seen, 'hardware.health', node).disks.map(({ counters: _, ...disk }) => disk),
  });
  expect(told(ssh)).toEqual(told(api));
  expect(told(ssh).disks.length).toBeGreaterThan(0);
});

it('what waits to be installed is told over SSH; over the API a token that may only read learns which privilege it lacks', async () => {
  const { node, ssh, api } = await readBothWays();
  expect(bodyOf(ssh, 'hardware.updates', node).packages.length).toBeGreaterThan(0);
  expect([ssh.notes, api.notes]).toEqual([[], [expect.stringContaining('the token needs Sys.Modify on /nodes')]]);
});

it('a node tells the same parts again when nothing was changed', async () => {
  const { ssh, node } = await readBothWays();
  const again = await readBothWays();
  expect(bodyOf(again.ssh, 'hardware', node)).toEqual(bodyOf(ssh, 'hardware', node));
});
