import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { type FakeNode, fakeNode } from '../sources/proxmox-ssh/fake-node.js';
import { mirror } from '../sources/proxmox-ssh/mirror.js';
import { describeSshd, type Sshd, startSshd } from '../sources/sshd.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

/** What stands on a node at fixed places is put where the test has it, and nobody needs to become root. */
function elsewhere({ paths }: FakeNode): string {
  const places = `s,/usr/bin/pvesh,${paths.pvesh},g; s,/etc/pve,${paths.etcPve},g; s,sudo -n ,,`;
  return `ForceCommand exec sh -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "${places}")"`;
}

function sourcesYaml(sshd: Sshd): string {
  const { host, port, user, hostKeyFingerprint } = sshd.settings();
  return `clusters:
  - name: main
    ssh: { host: ${host}, port: ${port}, user: ${user}, keyFile: id_ed25519, hostKeyFingerprint: "${hostKeyFingerprint}" }
    pollSeconds: 1
`;
}

// Kinds that do not ask what a guest's addresses are.
const WITHOUT_ADDRESSES = ['GUEST_NOT_DECLARED', 'GUEST_MISSING', 'NAME_DIFFERS', 'NODE_DIFFERS', 'STATUS_DIFFERS'];

describeSshd('a cluster of sources.yaml that is reached over SSH', () => {
  let cluster: MainCluster;
  let simulator: Simulator;
  let node: FakeNode;
  let sshd: Sshd;
  let gateway: TestGateway;

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 3, guests: 30 });
    ({ simulator } = cluster);
    node = fakeNode();
    await mirror(simulator, node);
    sshd = await startSshd({ config: [elsewhere(node)] });
    gateway = await openGateway({
      files: {
        ...cluster.declared,
        'sources.yaml': sourcesYaml(sshd),
        id_ed25519: sshd.clientKey,
      },
    });
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await sshd?.stop();
    await cluster?.stop();
    node?.end();
  });

  const findings = async () => {
    const answer = await gateway.graphql<{ driftFindings: { nodes: { id: string; kind: string }[] } }>(
      '{ driftFindings(first: 500) { nodes { id kind } } }',
    );
    return answer.driftFindings.nodes
      .map(({ id, kind }) => `${kind} ${id.slice(id.indexOf(':') + 1, id.lastIndexOf(':'))}`)
      .sort();
  };

  it('shows its guests, and tells of its drift what can be told without asking guests, and invents none', async () => {
    const planted = simulator.plantedDrift.map(({ kind, subject }) => `${kind} ${subject}`);
    const plain = planted.filter((finding) => WITHOUT_ADDRESSES.some((kind) => finding.startsWith(kind))).sort();
    expect(plain.length).toBeGreaterThan(2);
    const told = await eventually(async () => {
      const all = await findings();
      const missing = plain.filter((finding) => !all.includes(finding));
      if (missing.length > 0) throw new Error(`not told: ${missing.join(', ')}; told: ${all.join(', ')}`);
      return all;
    }, 15_000);
    expect(told.filter((finding) => !planted.includes(finding))).toEqual([]);
  });

  it('takes up an edited config at the next poll', async () => {
    const asked = '{ guests(first: 500) { nodes { vmid kind node { name } interfaces { bridge } } } }';
    interface Guest {
      readonly vmid: number;
      readonly kind: string;
      readonly node: { readonly name: string };
      readonly interfaces: readonly { readonly bridge: string | null }[];
    }
    const guests = async () => (await gateway.graphql<{ guests: { nodes: Guest[] } }>(asked)).guests.nodes;
    const guest = (await guests()).find(({ interfaces }) => interfaces.length > 0);
    if (guest === undefined) throw new Error('no guest has an interface');
    const folder = guest.kind === 'LXC' ? 'lxc' : 'qemu-server';
    const path = join(node.paths.etcPve, 'nodes', guest.node.name, folder, `${guest.vmid}.conf`);
    const edited = (await readFile(path, 'utf8')).replaceAll(/bridge=\w+/g, 'bridge=vmbr77');
    node.conf(guest.node.name, folder, guest.vmid, edited);
    await eventually(async () => {
      const now = (await guests()).find(({ vmid }) => vmid === guest.vmid);
      return now?.interfaces.every(({ bridge }) => bridge === 'vmbr77') ? true : undefined;
    });
  });

  it('says why when the host cannot be reached any more, and keeps what is known', async () => {
    await sshd.stop();
    const sources = '{ collectors { sources { name outcome reason } } guests(first: 500) { totalCount } }';
    const down = await eventually(async () => {
      const text = JSON.stringify(await gateway.graphql(sources));
      return text.includes('connection refused') ? text : undefined;
    });
    expect(down).toContain(`127.0.0.1:${sshd.port}: connection refused`);
    expect(down).toMatch(/"totalCount":(?!0)/);
  });
});
