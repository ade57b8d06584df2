import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readSources } from '../../src/declared/sources-file.js';
import type { Outcome } from '../../src/domain/observation.js';
import { type HostSettings, Secret, type SourcesSettings } from '../../src/domain/settings.js';
import { runSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatedHost } from '../../src/simulator/ssh-hosts.js';
import { hardwareApiSource } from '../../src/sources/hardware/source.js';
import { hostSources } from '../../src/sources/hosts/source.js';
import { netboxSource } from '../../src/sources/netbox/source.js';
import { npmSource } from '../../src/sources/npm/source.js';
import { unifiSource } from '../../src/sources/unifi/source.js';
import { ask, folder, NOW, simulate } from './asking.js';

const NEVER = new AbortController().signal;
const now = () => NOW;

/** A simulator that stands alone until the test is over, and what it printed. */
async function alone(dataDir: string): Promise<{ readonly printed: string; end(): Promise<void> }> {
  const told = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const printed = await new Promise<string>((resolve, reject) => {
    running = runSimulator({ nodes: 3, guests: 40, dataDir, now: Date.now }, told.signal, resolve);
    running.catch(reject);
  });
  const end = async () => {
    told.abort();
    await running;
  };
  onTestFinished(end);
  return { printed, end };
}

async function settingsOf(printed: string): Promise<SourcesSettings> {
  const dir = await folder();
  await writeFile(join(dir, 'sources.yaml'), printed);
  const read = await readSources(dir, { secret: () => undefined });
  if (read.kind !== 'read') throw new Error(`sources.yaml is ${read.kind}`);
  expect([read.problems, read.settings.warnings, read.whole]).toEqual([[], [], true]);
  return read.settings;
}

function hostSettings(told: SimulatedHost): HostSettings {
  const { name, cluster, host, port, user, privateKey, hostKeyFingerprint } = told;
  const ssh = { host, port, user, key: new Secret(privateKey), passphrase: null, hostKeyFingerprint };
  return { name, cluster, broken: null, ssh, collect: ['neighbours', 'hardware'] };
}

interface Source {
  collect(
    request: { readonly progress: () => void },
    signal: AbortSignal,
  ): Promise<Outcome<{ records: readonly { kind: string }[] }>>;
  close(): Promise<void>;
}

/** What comes of a source, and of which kinds; the source is closed. */
async function kindsOf(source: Source | null): Promise<readonly string[] | string> {
  if (source === null) return 'not collected';
  const outcome = await source.collect({ progress: () => {} }, NEVER);
  await source.close();
  return outcome.kind === 'observed'
    ? [...new Set(outcome.value.records.map(({ kind }) => kind))].sort()
    : outcome.reason;
}

describe('a simulated estate alone, with all that stands around it', () => {
  it('prints a sources.yaml with which the product reads every one of its services', async () => {
    const { printed } = await alone(await folder());
    const settings = await settingsOf(printed);
    const { clusters, hosts, npm, unifi, netbox } = settings;
    expect([clusters, hosts, npm, unifi, netbox].map((list) => list.length)).toEqual([1, 3, 1, 2, 1]);

    const told: Record<string, unknown> = {};
    for (const host of hosts) {
      const { neighbours, hardware } = hostSources(host, { now: Date.now });
      told[host.name] = [await kindsOf(neighbours), await kindsOf(hardware)];
    }
    for (const cluster of clusters)
      told[cluster.name] = await kindsOf(hardwareApiSource(cluster, { now: Date.now, skip: () => [] }));
    for (const each of npm) told[each.name] = await kindsOf(npmSource(each, { now: Date.now }));
    for (const each of unifi) told[each.name] = await kindsOf(unifiSource(each, { now: Date.now }));
    const ofHost = [['neighbour'], ['hardware', 'hardware.health', 'hardware.updates']];
    expect(told).toEqual({
      ...{ pve01: ofHost, pve02: ofHost, pve03: ofHost },
      'lab-main': ['hardware', 'hardware.health'],
      'lab-npm': ['npm.certificate', 'npm.proxy_host', 'npm.redirection', 'npm.stream'],
      'lab-unifi': ['unifi.client', 'unifi.device', 'unifi.network'],
      'lab-unifi-os': ['unifi.client', 'unifi.device', 'unifi.network'],
    });
    for (const each of netbox) {
      const source = netboxSource(each, { now: Date.now });
      onTestFinished(() => source.close());
      const request = { known: new Map(), confirmedHash: null, asked: null, progress: () => {} };
      expect((await source.collect(request, NEVER)).outcome).toMatchObject({ kind: 'observed' });
    }
  });

  it('keeps ports, keys and secrets over a restart, each secret in a file that only its owner reads', async () => {
    const dataDir = await folder();
    const yaml = (text: string) => text.replaceAll(/^#.*$/gm, '');
    const first = await alone(dataDir);
    await first.end();
    const second = await alone(dataDir);
    expect(yaml(second.printed)).toBe(yaml(first.printed));
    const secrets = [
      'token-secret',
      'admin-token',
      'id_ed25519',
      'npm-secret',
      'unifi-password',
      'unifi-api-key',
      'netbox-token',
    ];
    for (const name of secrets) {
      const file = join(dataDir, 'simulator', name);
      expect([name, (await stat(file)).mode & 0o777]).toEqual([name, 0o600]);
      expect(first.printed).not.toContain(await readFile(file, 'utf8'));
    }
  });
});

describe('the services around a simulated estate', () => {
  it('are not there unless they are asked for', async () => {
    const { hosts, npm, unifi, netbox } = await simulate();
    expect([hosts, npm, unifi, netbox]).toEqual([[], [], [], []]);
  });

  it('plant drift of their own, each on guests of its own, and leave that of the files as it was', async () => {
    const [bare, full] = [await simulate(), await simulate({ services: true })];
    const more = full.plantedDrift.slice(bare.plantedDrift.length);
    expect(full.plantedDrift.slice(0, bare.plantedDrift.length)).toEqual(bare.plantedDrift);
    expect(new Set(more.map(({ kind }) => kind))).toEqual(
      new Set([
        ...[
          'ADDRESS_ANSWERED_BY_OTHER',
          'CERTIFICATE_EXPIRING',
          'DECLARATIONS_CONFLICT',
          'DISK_FAILING',
          'PROXY_TARGET_STOPPED',
        ],
        ...['PROXY_TARGET_UNKNOWN', 'RESOURCES_DIFFER', 'VLAN_DIFFERS'],
      ]),
    );
    const guests = full.plantedDrift.map(({ subject }) => subject).filter((subject) => /\/\d+@1$/.test(subject));
    expect(new Set(guests).size).toBe(guests.length);
  });

  it('the same stranger answers on the switch and in the neighbour tables', async () => {
    const simulator = await simulate({ services: true });
    const [controller] = simulator.unifi;
    const stranger = controller?.stranger;
    const settings = simulator.hosts.map((host) => hostSources(hostSettings(host), { now }));
    const macs: unknown[] = [];
    for (const { neighbours, hardware } of settings) {
      const outcome = await neighbours?.collect({ progress: () => {} }, NEVER);
      await Promise.all([neighbours?.close(), hardware?.close()]);
      if (outcome?.kind !== 'observed') throw new Error(outcome?.reason);
      for (const { body } of outcome.value.records)
        if ('host' in body && body.address === stranger?.address) macs.push(body.mac);
    }
    expect([macs.length > 0, new Set(macs)]).toEqual([true, new Set([stranger?.mac])]);
  });

  it('stop with it: nothing answers any more', async () => {
    const simulator = await simulate({ services: true });
    const { url } = simulator.npm[0] ?? { url: '' };
    const clusters = [{ ...simulator.clusters[0], url }] as Simulator['clusters'];
    const at = { ...simulator, clusters };
    expect((await ask(at, '/api/', { whole: true })).status).toBe(200);
    await simulator.stop();
    await expect(ask(at, '/api/', { whole: true })).rejects.toThrow();
  });

  it('limits the nodes that are open over SSH', async () => {
    const { hosts } = await simulate({ services: true, nodes: 40, guests: 80, sshHosts: 6 });
    expect(hosts.map(({ cluster, name }) => `${cluster}/${name}`)).toEqual([
      ...['sim-01/pve01', 'sim-01/pve02', 'sim-01/pve03', 'sim-02/pve21', 'sim-02/pve22', 'sim-02/pve23'],
    ]);
  });
});

describe('the back door of the services', () => {
  const call = async (simulator: Simulator, method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${simulator.adminToken}` };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${simulator.adminUrl}/_admin/${path}`, { method, headers, ...sent });
    return { status: response.status, body: (await response.json()) as { error?: string } };
  };

  it('switches the faults of one of them, and all off at once', async () => {
    const simulator = await simulate({ services: true });
    const names = ['sim-main', 'sim-npm', 'sim-unifi', 'sim-unifi-os', 'sim-netbox'];
    expect(Object.keys((await call(simulator, 'GET', 'faults')).body)).toEqual(names);
    await call(simulator, 'PUT', 'faults', { service: 'sim-npm', sessionExpired: true });
    await call(simulator, 'PUT', 'faults', { service: 'sim-netbox', tokenExpired: true, certificate: 'expired' });
    const on = () => [simulator.npm[0]?.faults.now.sessionExpired, simulator.netbox[0]?.faults.now.tokenExpired];
    expect(on()).toEqual([true, true]);
    expect(simulator.faults('sim-main').now.certificate).toBe('own');
    await call(simulator, 'DELETE', 'faults');
    expect(on()).toEqual([false, false]);
  });

  it('knows each by the name that the printed sources.yaml has for it', async () => {
    const simulator = await simulate({ services: true });
    expect((await call(simulator, 'PUT', 'faults', { service: 'lab-npm', twoFactor: true })).status).toBe(200);
    expect((await call(simulator, 'PUT', 'faults', { cluster: 'lab-main', nodesDown: ['pve01'] })).status).toBe(200);
    expect(simulator.npm[0]?.faults.now.twoFactor).toBe(true);
    expect(simulator.faults('sim-main').now.nodesDown).toEqual(['pve01']);
    const rename = { service: 'lab-netbox', deed: 'rename', cluster: 'lab-main', vmid: 101, name: 'other' };
    expect((await call(simulator, 'POST', 'deeds', rename)).status).toBe(200);
    expect(simulator.netbox[0]?.model.vmOf('sim-main', 101).name).toBe('other');
  });

  it('does deeds to the parts of a node and to the VMs of a NetBox', async () => {
    const simulator = await simulate({ services: true });
    const { machines } = simulator.estate('sim-main');
    const before = machines.of('pve01').disks[0]?.serial;
    expect(await call(simulator, 'POST', 'deeds', { deed: 'swapDisk', node: 'pve01' })).toMatchObject({ status: 200 });
    expect(machines.of('pve01').disks[0]?.serial).not.toBe(before);
    const rename = { service: 'sim-netbox', deed: 'rename', cluster: 'sim-main', vmid: 101, name: 'other' };
    expect(await call(simulator, 'POST', 'deeds', rename)).toMatchObject({ status: 200 });
    expect(simulator.netbox[0]?.model.vmOf('sim-main', 101).name).toBe('other');
  });

  it.each([
    ['PUT', 'faults', { service: 'sim-npm', nodesDown: [] }, /^nodesDown: no such fault/],
    ['PUT', 'faults', { service: 'npm' }, /^service: no npm here; there are sim-main, sim-npm/],
    ['PUT', 'faults', { service: 'lab-nothing' }, /^service: no lab-nothing here; there are sim-main, sim-npm/],
    ['POST', 'deeds', { service: 'sim-npm', deed: 'rename' }, /^deed: there are none for sim-npm/],
    ['POST', 'deeds', { deed: 'swapDisk', node: 'pve99' }, /has no node pve99/],
    ['POST', 'deeds', { deed: 'failDisk', node: 'pve01', device: 'sdz' }, /has no disk sdz/],
  ])('refuses %s %s %j, and names what is wrong', async (method, path, body, message) => {
    const simulator = await simulate({ services: true });
    const told = await call(simulator, method, path, body);
    expect(told).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) } });
  });
});
