import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directions } from '../../src/simulator/directions.js';
import { keepIdentity, newIdentity } from '../../src/simulator/identity.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

/** Every service is due every two seconds: what takes two looks is told soon. */
const CONTRACT = JSON.stringify({
  version: 7,
  collectors: Object.fromEntries(
    ['proxmox_guest_ipam', 'ip_neigh', 'hardware', 'npm', 'unifi', 'netbox'].map((name) => [
      name,
      { refresh_seconds: name === 'proxmox_guest_ipam' ? 3600 : 2, stale_after_seconds: 7200 },
    ]),
  ),
});

interface Source {
  readonly name: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly lastSuccessAt: string | null;
}

describe('an estate with everything that stands around it', () => {
  let simulator: Simulator;
  let gateway: TestGateway;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sankofa-around-'));
    const declaredDir = join(folder, 'declared');
    await mkdir(declaredDir);
    const identity = await newIdentity();
    const size = { nodes: 3, guests: 40, clusterName: 'main' };
    simulator = await startSimulator({
      ...{ ...size, declaredDir, identity, services: true, live: false, now: Date.now },
    });
    const files = await keepIdentity(join(folder, 'identity'), identity, simulator.adminToken);
    const declared = (name: string) => readFile(join(declaredDir, name), 'utf8');
    await mkdir(join(folder, 'it-operations'));
    gateway = await openGateway({
      files: {
        // What `sankofa-it simulate` prints is a whole settings file; polled more often than a person would.
        'sources.yaml': directions(simulator, files).replaceAll(/^( {4})api:$/gm, '$1pollSeconds: 1\n$1api:'),
        'ip-addresses.conf': await declared('ip-addresses.conf'),
        'ALL_VMIDS_ENDPOINTS.md': await declared('ALL_VMIDS_ENDPOINTS.md'),
        'it-operations/live-collectors-contract.json': CONTRACT,
      },
      env: { IT_COLLECT_IP_NEIGH: '1' },
    });
  }, 90_000);

  afterAll(async () => {
    await gateway?.close();
    await simulator?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const sources = async (): Promise<readonly Source[]> => {
    const { collectors } = await gateway.graphql<{ collectors: { sources: Source[] }[] }>(
      '{ collectors { sources { name outcome reason lastSuccessAt } } }',
    );
    return collectors.flatMap((collector) => collector.sources);
  };
  const findings = async () => {
    const { driftFindings } = await gateway.graphql<{ driftFindings: { nodes: { id: string; message: string }[] } }>(
      '{ driftFindings(first: 500) { nodes { id message } } }',
    );
    return driftFindings.nodes;
  };
  const kindAndSubject = (id: string) => {
    const [kind = '', ...rest] = id.split(':');
    const field = rest.join(':');
    return `${kind} ${field}`;
  };
  /** Names of services lose their `sim-` where a gateway is pointed at them. */
  const planted = () =>
    simulator.plantedDrift
      .map(({ kind, subject, field }) => `${kind} ${subject.replace(/^sim-/, 'lab-')}:${field}`)
      .sort();

  it('is collected from each of them, over its own protocol', async () => {
    await eventually(
      async () => ((await sources()).every(({ lastSuccessAt }) => lastSuccessAt !== null) ? true : undefined),
      40_000,
    );
    const all = await sources();
    expect(all.filter(({ outcome }) => outcome !== 'OBSERVED')).toEqual([]);
    expect(all.map(({ name }) => name.replace(/pve\d+/, 'node')).sort()).toEqual(
      [
        'proxmox:main',
        'hardware:main',
        ...Array.from({ length: 3 }, () => ['hardware:main/node', 'ip_neigh:main/node']).flat(),
        ...['npm:lab-npm', 'unifi:lab-unifi', 'unifi:lab-unifi-os', 'declared:netbox:lab-netbox'],
      ].sort(),
    );
  }, 60_000);

  it('is told exactly the drift that is there, of every kind of source, and no other', async () => {
    const told = async () => (await findings()).map(({ id }) => kindAndSubject(id)).sort();
    await eventually(async () => ((await told()).length >= planted().length ? true : undefined), 60_000).catch(
      () => undefined,
    );
    expect(await told()).toEqual(planted());
  }, 90_000);

  it('shows a public name on its way to a guest, its node and its switch port', async () => {
    const { portMap } = await gateway.graphql<{
      portMap: { totalCount: number; nodes: { lan: { confidence: string }; switch: { port: number | null } }[] };
    }>(
      '{ portMap(first: 100) { totalCount nodes { publicHostname lan { address confidence guest { vmid } node { name } } switch { name port confidence } } } }',
    );
    expect(portMap.totalCount).toBeGreaterThanOrEqual(5);
    const whole = portMap.nodes.filter((row) => row.lan.confidence === 'OBSERVED' && row.switch.port !== null);
    expect(whole.length).toBeGreaterThanOrEqual(2);
    const { body } = await gateway.rest('/v1/portmap/joined');
    expect((body as { items: unknown[] }).items).toHaveLength(portMap.totalCount);
  });

  it('knows the machine that each node is', async () => {
    const { proxmoxNodes } = await gateway.graphql<{
      proxmoxNodes: { nodes: { hardware: { by: string; sections: string[]; disks: unknown[] } | null }[] };
    }>(
      '{ proxmoxNodes(first: 10) { nodes { name hardware { by sections parts { section place serial } disks { disk verdict } updates { name } } } } }',
    );
    expect(proxmoxNodes.nodes).toHaveLength(3);
    for (const { hardware } of proxmoxNodes.nodes) {
      expect(hardware).toMatchObject({ by: 'SSH', sections: expect.arrayContaining(['SYSTEM', 'DISKS', 'MEMORY']) });
      expect(hardware?.disks.length).toBeGreaterThan(0);
    }
  });

  it('keeps what a service said while it does not answer, opens and resolves nothing, and says why', async () => {
    const before = (await findings()).map(({ id }) => id).sort();
    for (const { faults } of [...simulator.npm, ...simulator.unifi, ...simulator.netbox])
      faults.set({ status500: true });
    await eventually(async () => {
      const down = (await sources()).filter(({ outcome }) => outcome === 'UNREACHABLE');
      return down.length === 4 ? true : undefined;
    }, 40_000);
    const down = (await sources()).filter(({ outcome }) => outcome === 'UNREACHABLE');
    for (const { reason } of down) expect(reason).toMatch(/500/);
    expect((await findings()).map(({ id }) => id).sort()).toEqual(before);
    const { body } = await gateway.rest('/v1/inventory/npm');
    expect(body).toMatchObject({
      seed_unreachable: true,
      notes: [expect.stringContaining('npm:lab-npm: unreachable')],
    });
    expect((body as { items: unknown[] }).items.length).toBeGreaterThan(5);
    for (const { faults } of [...simulator.npm, ...simulator.unifi, ...simulator.netbox]) faults.clear();
  }, 60_000);

  it('resolves nothing by a mistyped cluster: that NetBox is not asked until it is mended, and says why', async () => {
    const ids = async () => (await findings()).map(({ id }) => id).sort();
    const netbox = async () => (await sources()).find(({ name }) => name === 'declared:netbox:lab-netbox');
    await eventually(async () => ((await netbox())?.outcome === 'OBSERVED' ? true : undefined), 40_000);
    const before = await ids();
    const file = join(gateway.configDir, 'sources.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('clusters: { main: main }', 'clusters: { main: mian }'));
    await eventually(async () => ((await netbox())?.outcome === 'UNREACHABLE' ? true : undefined), 40_000);
    expect((await netbox())?.reason).toMatch(
      /^sources\.yaml:\d+: netbox\[0\]\.clusters\.main "mian" is none of the clusters above \(main\)$/,
    );
    expect(await ids()).toEqual(before);
    await writeFile(file, text);
    await eventually(async () => ((await netbox())?.outcome === 'OBSERVED' ? true : undefined), 40_000);
    expect(await ids()).toEqual(before);
  }, 120_000);

  it('retires a service that the settings no longer name, with what it said', async () => {
    const text = await readFile(join(gateway.configDir, 'sources.yaml'), 'utf8');
    await writeFile(join(gateway.configDir, 'sources.yaml'), text.replace(/^npm:\n(?: .*\n)+/m, ''));
    await eventually(async () => ((await sources()).some(({ name }) => name.startsWith('npm:')) ? undefined : true));
    expect((await gateway.rest('/v1/inventory/npm')).body).toMatchObject({ implementation: 'stub', items: [] });
    await eventually(async () =>
      (await findings()).some(({ id }) => id.startsWith('PROXY_') || id.startsWith('CERTIFICATE_')) ? undefined : true,
    );
  }, 60_000);
});
