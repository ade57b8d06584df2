import { describe, expect, it, onTestFinished } from 'vitest';
import type { PartRead, ProxmoxObservation } from '../../src/domain/observation.js';
import { Secret, type SshSettings } from '../../src/domain/settings.js';
import type { PathFault } from '../../src/simulator/fault-switches.js';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.js';
import { type SimulatedHost, startSshHosts } from '../../src/simulator/ssh-hosts.js';
import { newSshIdentity, newSshKey } from '../../src/simulator/ssh-keys.js';
import { proxmoxSource } from '../../src/sources/proxmox/source.js';
import { proxmoxSshSource } from '../../src/sources/proxmox-ssh/source.js';
import { sshClient } from '../../src/sources/transport/ssh.js';
import { known, knownGuest, row } from '../sources/proxmox/known.js';
import { all, observe, settings } from '../sources/proxmox/source-rig.js';
import { NOW, type Row, simulate } from './asking.js';

interface Open {
  readonly simulator: Simulator;
  readonly host: SimulatedHost;
  /** Runs a line as the plain user, unless another is named. */
  sh(line: string, user?: string): Promise<{ code: number; stdout: string; stderr: string }>;
}

async function open(options: Partial<SimulatorOptions> = {}): Promise<Open> {
  const simulator = await simulate({ nodes: 3, guests: 40, ...options });
  const clusters = simulator.clusters.map(({ name }) => ({
    estate: simulator.estate(name),
    faults: simulator.faults(name),
  }));
  const identity = newSshIdentity();
  const waits = { agentMs: 5, proxyMs: 5 };
  const opened = await startSshHosts({ clusters, identity, waits, most: 20, ports: [] });
  onTestFinished(() => opened.stop());
  const [host] = opened.hosts;
  if (host === undefined) throw new Error('no host is open');
  return {
    simulator,
    host,
    async sh(line, user = host.user) {
      const client = sshClient(sshSettings(host, { user }), { connectMs: 500, keepAliveMs: 1_000 });
      onTestFinished(() => client.close());
      return client.run({ line, signal: AbortSignal.timeout(10_000), timeoutMs: 1_000 });
    },
  };
}

function sshSettings(host: SimulatedHost, more: Partial<SshSettings> = {}): SshSettings {
  const { host: address, port, user, hostKeyFingerprint } = host;
  const key = new Secret(host.privateKey);
  return { host: address, port, user, key, passphrase: null, hostKeyFingerprint, ...more };
}

const isAddresses = ({ result }: PartRead) => result.part === 'addresses';
/** The API also tells that a version has no call for containers; over SSH nothing is asked, so nothing is told. */
const isBoth = ({ result }: PartRead) =>
  result.part !== 'addresses' || (result.kind === 'none' && !result.reason.includes('no such call'));
/** What both ways cover; times are of each way's own asking. */
const common = ({ notes: _, activityMark: __, askedAt: ___, parts, ...seen }: ProxmoxObservation) => ({
  ...seen,
  nodes: seen.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  rows: seen.rows.toSorted((a, b) => a.vmid - b.vmid),
  parts: parts
    .filter(isBoth)
    .map(({ key, result }) => ({ key, ...result }))
    .sort((a, b) => (`${a.part} ${a.key}` < `${b.part} ${b.key}` ? -1 : 1)),
});

describe('a simulated node over SSH', () => {
  it.each(['7.4', '8.4', '9.1'] as const)('says of its cluster what the API says, Proxmox %s', async (version) => {
    const { simulator, host } = await open({ version, clusterName: 'lab', guests: 80 });
    const [cluster] = simulator.clusters;
    if (cluster === undefined) throw new Error('no cluster');
    const { url, fingerprint, tokenId, tokenSecret } = cluster;
    const sha256 = [fingerprint.replaceAll(':', '').toLowerCase()];
    const tls = { kind: 'fingerprint' as const, sha256 };
    const api = { urls: [url], tokenId, tokenSecret: new Secret(tokenSecret), tls };
    const overApi = proxmoxSource(settings([], { api }), { now: () => NOW });
    const overSsh = proxmoxSshSource(settings([], { api: null, ssh: sshSettings(host) }), { now: () => NOW });
    onTestFinished(async () => {
      await Promise.all([overApi.close(), overSsh.close()]);
    });

    const knows = known([knownGuest(row(99_999))]);
    const [byApi, bySsh] = [await observe(overApi, all, knows), await observe(overSsh, all, knows)];
    expect(byApi.parts.filter(({ result }) => result.part === 'config').length).toBeGreaterThan(70);
    expect(common(bySsh)).toEqual(common(byApi));
    expect(bySsh.parts.filter((part) => isAddresses(part) && part.result.kind !== 'none')).toEqual([]);
  });

  it('keeps configs as files: sections, pending edits, earlier states, notes; written ones get the next version', async () => {
    const { simulator, sh } = await open({ guests: 120 });
    const find = `find /etc/pve/nodes -mindepth 3 -maxdepth 3 -type f -name '*.conf' -exec /usr/bin/tail -v -n +1 {} +`;
    const { stdout } = await sh(find, 'root');
    const files = stdout.split(/^==> .* <==$/m).slice(1);
    expect(files.length).toBe(120);
    expect(stdout).toMatch(/^==> \/etc\/pve\/nodes\/pve0\d\/qemu-server\/\d+\.conf <==$/m);
    expect(stdout).toMatch(/^#Kept by%3A [\w ]+\n#net0%3A see the table, 100 %25 of it$/m);
    expect(stdout).toMatch(/^\[PENDING\]\ncores: \d+\ndelete: net30$/m);
    expect(stdout).toMatch(/^\[pve:pending\]\ncores: \d+\ndelete: net30$/m);
    expect(stdout).toMatch(/^\[before-upgrade\]\n(?:.+\n)*snaptime: \d+$/m);

    const list = async () => JSON.parse((await sh('cat /etc/pve/.vmlist', 'root')).stdout) as VmList;
    const before = await list();
    const estate = simulator.estate('sim-main');
    estate.rename(100, 'other');
    estate.stop(101);
    const after = await list();
    const written = Object.keys(after.ids).filter((id) => after.ids[id]?.version !== before.ids[id]?.version);
    expect([written, after.version > before.version]).toEqual([['100'], true]);
  });

  it('lists who its node has spoken to, with states that move and guests that are silent', async () => {
    let now = NOW;
    const { simulator, sh } = await open({ guests: 120, now: () => now });
    const estate = simulator.estate('sim-main');
    const table = async () => JSON.parse((await sh('ip -j neigh')).stdout) as readonly Row[];
    const first = await table();
    const carried = estate
      .guests()
      .flatMap(({ nics }) =>
        nics.flatMap(({ v4, v6, mac }) => [v4, v6].map((one) => `${one?.address} ${mac.toLowerCase()}`)),
      );
    const ofGuests = first.filter(({ dst, lladdr }) => /^(?:10\.|fd77).*bc:24:11/.test(`${dst} ${lladdr}`));
    expect(ofGuests.length).toBeGreaterThan(30);
    expect(ofGuests.filter(({ dst, lladdr }) => !carried.includes(`${dst} ${lladdr}`))).toEqual([]);
    expect(first[0]).toMatchObject({ dst: '10.100.0.1', dev: 'vmbr0', state: ['REACHABLE'] });
    expect(first.some((row) => 'router' in row && row.router === null)).toBe(true);
    now += 3_600_000;
    const second = await table();
    const states = (rows: readonly Row[]) => rows.map(({ dst, state }) => `${String(dst)} ${String(state)}`);
    expect(states(second)).not.toEqual(states(first));
    expect(states([...first, ...second]).join()).toMatch(/STALE.*FAILED|FAILED.*STALE/);
  });

  it('tells of its parts by four programs that agree', async () => {
    const { simulator, sh } = await open();
    const { machines } = simulator.estate('sim-main');
    machines.failDisk('pve01', 'sda');
    const { serial, disks, memory } = machines.of('pve01');
    const modules = memory.flatMap(({ module }) => module?.serial ?? []);

    const tables = await sh('sudo -n /usr/bin/timeout -k 1 30 /usr/sbin/dmidecode');
    expect(tables.stdout).toContain(`Serial Number: ${serial}\n`);
    expect([...tables.stdout.matchAll(/Size: No Module Installed/g)].length).toBe(memory.length - modules.length);
    const tree = await sh('sudo -n /usr/bin/timeout -k 1 120 /usr/bin/lshw -json');
    expect([tables.stdout, tree.stdout].map((text) => modules.every((one) => text.includes(one)))).toEqual([
      true,
      true,
    ]);
    expect(JSON.parse(tree.stdout)).toMatchObject([{ class: 'system', serial }]);

    const block = await sh('lsblk -J -b -d -o NAME,TYPE,SIZE,ROTA,TRAN,VENDOR,MODEL,SERIAL,WWN');
    const { blockdevices } = JSON.parse(block.stdout) as { blockdevices: readonly Row[] };
    const told = blockdevices.map(({ name, size, serial }) => [name, size, serial]);
    expect(told).toEqual(disks.map(({ device, sizeBytes, serial }) => [device, sizeBytes, serial]));
    const smart = await sh('sudo -n /usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a /dev/sda');
    expect([smart.code, JSON.parse(smart.stdout)]).toMatchObject([8, { smart_status: { passed: false } }]);
    const scan = JSON.parse((await sh('smartctl --scan -j', 'root')).stdout) as { devices: readonly Row[] };
    expect(scan.devices.length).toBe(disks.length);
    const updates =
      'sudo -n /usr/bin/timeout -k 1 60 /usr/bin/pvesh get /nodes/localhost/apt/update --output-format json';
    expect((JSON.parse((await sh(updates)).stdout) as readonly Row[]).length).toBeGreaterThan(1);
  });

  it.each([
    ['pvesh get /version --output-format json', 255, 'please run as root'],
    ['sudo -n /usr/bin/cat /etc/shadow', 1, 'sudo: a password is required'],
    [
      'sudo -n /usr/bin/timeout -k 1 30 /usr/bin/pvesh get /access/users --output-format json',
      1,
      'sudo: a password is required',
    ],
    [
      'sudo -n /usr/bin/timeout -k 1 30 /usr/bin/pvesh create /nodes --output-format json',
      1,
      'sudo: a password is required',
    ],
    ['dmidecode', 1, '/dev/mem: Permission denied'],
    ['nosuch --help', 127, 'No such file or directory'],
    ['cat /etc/passwd | tee x', 2, 'Syntax error'],
  ])('refuses its plain user %s', async (line, code, words) => {
    const { sh } = await open();
    expect(await sh(line)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(words) });
  });

  it('makes keys that can be read, each of them', () => {
    const keys = Array.from({ length: 400 }, () => newSshKey());
    const blobs = keys.map(({ publicKey }) => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64').length);
    expect(new Set(blobs)).toEqual(new Set([51]));
  });

  it('lets in only its two users, with the one key', async () => {
    const { sh, host } = await open();
    expect(await sh('hostname', 'root')).toMatchObject({ code: 0, stdout: `${host.name}\n` });
    await expect(sh('hostname', 'admin')).rejects.toMatchObject({ setback: 'auth' });
    const client = sshClient(sshSettings(host, { key: new Secret(newSshIdentity().client.privateKey) }));
    onTestFinished(() => client.close());
    const asked = { line: 'hostname', signal: AbortSignal.timeout(10_000), timeoutMs: 1_000 };
    await expect(client.run(asked)).rejects.toMatchObject({ setback: 'auth' });
  });
});

describe('a fault of a simulated node over SSH', () => {
  const version = 'sudo -n /usr/bin/timeout -k 1 30 /usr/bin/pvesh get /version --output-format json';
  const path = (does: PathFault['does'], more: Partial<PathFault> = {}) => ({
    paths: [{ match: '^pvesh', does, ...more }],
  });

  it.each([
    ['down', { nodesDown: ['pve01'] }, { setback: 'cut' }],
    ['hung', { nodesHung: ['pve01'] }, { setback: 'connect-timeout' }],
    ['another host key', { wrongHostKeys: ['pve01'] }, { setback: 'host-key' }],
    ['reset', path('reset'), { setback: 'cut' }],
    ['an answer cut short', path('truncate'), { setback: 'cut' }],
    ['a command that hangs', path('hang'), { setback: 'timeout' }],
  ] as const)('%s: no answer, and all is as before when it is over', async (_, faults, setback) => {
    const { simulator, sh } = await open();
    simulator.faults('sim-main').set(faults);
    await expect(sh(version)).rejects.toMatchObject(setback);
    simulator.faults('sim-main').clear();
    expect(await sh(version)).toMatchObject({ code: 0 });
  });

  it.each([
    ['an error of its own', path('error', { reason: 'no quorum' }), { code: 255, stderr: 'no quorum\n' }],
    ['every call fails', { status500: true }, { code: 255 }],
    ['a missing program', { programsMissing: ['pvesh'] }, { code: 127 }],
    ['words that are no answer', path('login-page'), { code: 0, stdout: 'Your password expires in 3 days.\n' }],
    ['slow', { slowMs: 20 }, { code: 0 }],
  ] as const)('%s', async (_, faults, told) => {
    const { simulator, sh } = await open();
    simulator.faults('sim-main').set(faults);
    expect(await sh(version)).toMatchObject(told);
  });

  it('ends the connections that are open when its condition changes', async () => {
    const { simulator, host } = await open();
    const client = sshClient(sshSettings(host), { connectMs: 500 });
    onTestFinished(() => client.close());
    const asked = { line: 'hostname', signal: AbortSignal.timeout(10_000), timeoutMs: 1_000 };
    expect(await client.run(asked)).toMatchObject({ code: 0 });
    simulator.faults('sim-main').set({ wrongHostKeys: ['pve01'] });
    await expect(client.run(asked)).rejects.toMatchObject({ setback: 'host-key' });
  });
});

interface VmList {
  readonly version: number;
  readonly ids: Readonly<Record<string, { readonly version: number }>>;
}
