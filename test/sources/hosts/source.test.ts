import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { SshSettings } from '../../../src/domain/settings.js';
import { T0 } from '../proxmox/known.js';
import { describeSshd, freePort, type Sshd, startSshd } from '../sshd.js';
import { type FakeHost, fakeHost, LSBLK, smallServer, UPDATES } from './fake-host.js';
import { both, collect, hardwareTold, observed, reasonOf, sourcesOf } from './host-rig.js';

const PARTS = [
  'system system | Supermicro | SYS-6018R | A1779 | - | -',
  'cpus CPU1 | Intel | Xeon E5-2630 | - | - | 10 cores',
  'memory A1 | Samsung | M393A2G40DB0-CPB | 18ABE4AE | 16 GiB | DDR4 2400 MT/s',
  'disks A1 | - | SSD | A1 | 480000000000 | ssd',
  'disks B2 | - | SSD | B2 | 480000000000 | ssd',
  'network 0000:01:00.0 | Intel | I210 | - | - | bc:24:11:00:00:01',
];
const SECTIONS = ['system', 'cpus', 'memory', 'disks', 'network', 'pci'];
const KINDS = ['hardware', 'hardware.health', 'hardware.updates'];

describeSshd('a host over SSH', () => {
  let sshd: Sshd;
  let host: FakeHost;
  beforeAll(async () => {
    sshd = await startSshd();
    return () => sshd.stop();
  });
  beforeEach(() => {
    host = fakeHost();
    smallServer(host);
    return () => host.end();
  });
  const sources = (more: Partial<SshSettings> = {}) => both(sourcesOf(sshd.settings(more), host.paths));
  const hardware = async () => hardwareTold(observed(await collect(sources().hardware)));

  it('tells its neighbours with one command', async () => {
    const outcome = await collect(sources().neighbours);
    const body = { host: 'pve1', device: 'vmbr0', router: false, secondHand: false };
    const neighbour = (last: number, seenAt: number | null) => ({
      ...{ kind: 'neighbour', key: `vmbr0/10.0.0.${last}`, seenAt },
      body: { ...body, address: `10.0.0.${last}`, mac: `bc:24:11:00:00:0${last}` },
    });
    const value = { askedAt: T0, complete: ['neighbour'], nodes: null, notes: [] };
    expect(outcome).toEqual({
      ...{ kind: 'observed', at: T0, requests: 1 },
      value: { ...value, records: [neighbour(5, T0), neighbour(6, null)] },
    });
    expect(host.ran()).toEqual(['ip -j neigh']);
  });

  it('tells its hardware with the listed commands and no others', async () => {
    const outcome = await collect(sources().hardware);
    expect(hardwareTold(observed(outcome))).toEqual({
      ...{ sections: SECTIONS, parts: PARTS, complete: KINDS, nodes: ['pve1'], notes: [] },
    });
    expect(host.ran()).toEqual([
      'dmidecode',
      `lsblk ${LSBLK}`,
      'lshw -json',
      `pvesh ${UPDATES}`,
      ...['smartctl --scan -j', 'smartctl -j -a /dev/sda', 'smartctl -j -a /dev/sdb'],
    ]);
    expect(outcome).toMatchObject({ requests: 7 });
  });

  it('tells the health of its disks and what waits to be installed', async () => {
    const { records } = observed(await collect(sources().hardware));
    const disk = { model: 'SSD', lifeLeftPercent: null, counters: [] };
    const disks = [
      { ...disk, disk: 'A1', device: '/dev/sda', verdict: 'PASSED' },
      { ...disk, disk: 'B2', device: '/dev/sdb', verdict: 'FAILED' },
    ];
    const packages = [{ name: 'pve-manager', installed: '9.1.6', available: '9.1.7', origin: 'Proxmox' }];
    expect(records.slice(1)).toEqual([
      { kind: 'hardware.health', key: 'pve1', seenAt: null, body: { by: 'SSH', disks } },
      { kind: 'hardware.updates', key: 'pve1', seenAt: null, body: { packages } },
    ]);
  });

  it.each([
    ['dmidecode', ['disks', 'network', 'pci']],
    ['lshw', ['system', 'cpus', 'memory', 'disks']],
    ['smartctl', SECTIONS],
    // Then lshw and smartctl tell of the disks.
    ['lsblk', SECTIONS],
  ] as const)('without %s tells the rest, and says that it is not installed', async (tool, sections) => {
    host.remove(tool);
    const told = await hardware();
    expect({ sections: told.sections, notes: told.notes }).toEqual({
      ...{ sections, notes: [expect.stringMatching(`^\`${tool}.*\`: it is not installed$`)] },
    });
  });

  it('without smartctl says nothing of the health of its disks, and so takes nothing back', async () => {
    host.remove('smartctl');
    expect((await hardware()).complete).toEqual(['hardware', 'hardware.updates']);
  });

  it.each([
    [
      'prints half of its answer',
      'echo \'[{"id":"pve1",\'',
      'its answer breaks off after 14 characters: it is not whole JSON',
    ],
    ['prints something else', 'echo hello', 'its answer is no JSON and begins with "hello"'],
    ['says no', 'echo "lshw: no" >&2; exit 3', 'lshw: no'],
    ['is killed', 'kill -KILL $PPID', 'the command was ended by SIGKILL'],
    ['hangs', 'exit 124', 'it did not end within its time-out and was ended'],
  ])('whose lshw %s tells the rest, and why', async (_, body, words) => {
    host.script('lshw', body);
    expect(await hardware()).toMatchObject({
      sections: ['system', 'cpus', 'memory', 'disks'],
      notes: [`\`lshw -json\`: ${words}`],
    });
  });

  it('one of whose disks does not answer keeps its place, without a verdict', async () => {
    host.answer('smartctl', '-j -a /dev/sdb', '', 124);
    const seen = observed(await collect(sources().hardware));
    expect(hardwareTold(seen)).toMatchObject({ sections: SECTIONS, parts: PARTS });
    expect(seen.notes).toEqual([
      'the SMART report of a disk could not be read: /dev/sdb: it did not end within its time-out and was ended',
    ]);
    expect(JSON.stringify(seen.records[1])).toContain(
      '"disk":"B2","device":"/dev/sdb","model":"SSD","verdict":"UNKNOWN"',
    );
  });

  it('does not ask a disk that is only lent to it', async () => {
    const lent = { name: 'sdb', type: 'disk', size: 480e9, rota: false, tran: 'iscsi', model: 'LUN', serial: 'L' };
    host.answer('lsblk', LSBLK, { blockdevices: [lent] });
    host.answer('smartctl', '--scan -j', { smartctl: {}, devices: [{ name: '/dev/sdb', type: 'scsi' }] });
    expect((await hardware()).parts).toEqual(PARTS.filter((line) => !line.startsWith('disks')));
    expect(host.ran().filter((line) => line.startsWith('smartctl'))).toEqual(['smartctl --scan -j']);
  });

  it('whose smartctl ends with every flag of a dying disk is believed, and not taken for a missing tool', async () => {
    const dying = {
      smartctl: { exit_status: 124 },
      model_name: 'SSD',
      serial_number: 'B2',
      smart_status: { passed: false },
    };
    host.answer('smartctl', '-j -a /dev/sdb', dying, 124);
    const seen = observed(await collect(sources().hardware));
    expect([seen.notes, JSON.stringify(seen.records[1]).includes('"verdict":"FAILED"')]).toEqual([[], true]);
  });

  it('that is no Proxmox VE has no updates to tell, and nobody is told of it', async () => {
    host.remove('pvesh');
    expect(await hardware()).toMatchObject({ complete: ['hardware', 'hardware.health'], notes: [] });
  });

  it('that has none of the tools is unreachable, with every reason', async () => {
    for (const tool of ['dmidecode', 'lshw', 'lsblk', 'smartctl'] as const) host.remove(tool);
    const each = ['dmidecode', 'lshw -json', 'lsblk -J -b', 'smartctl --scan -j'].map(
      (line) => `\`${line}\`: it is not installed`,
    );
    expect(await reasonOf(sources().hardware)).toMatch(`no tool could be read: ${each.join('; ')}`);
  });

  it('with another product in the place of ip says so', async () => {
    host.script('ip', 'echo "<html>"');
    expect(await reasonOf(sources().neighbours)).toMatch(
      /`ip -j neigh` gave no neighbours: its answer is no JSON and begins with "<html>"$/,
    );
  });

  it('that shows another host key is sent nothing', async () => {
    const wrong = sources({ hostKeyFingerprint: 'SHA256:AAAA' });
    for (const source of [wrong.neighbours, wrong.hardware])
      expect(await reasonOf(source)).toContain('which is not pinned');
    expect(host.ran()).toEqual([]);
  });

  it('where nobody listens is unreachable, with its name', async () => {
    const port = await freePort();
    const gone = sources({ port });
    for (const source of [gone.neighbours, gone.hardware])
      expect(await reasonOf(source)).toMatch(new RegExp(`^\\w+@127\\.0\\.0\\.1:${port}: connection refused: `));
  });

  it('is asked over one connection, which ends when neither source needs it any more', async () => {
    const before = sshd.log().split('Accepted publickey').length;
    const { neighbours, hardware: parts } = sources();
    await Promise.all([collect(neighbours), collect(parts)]);
    await neighbours.close();
    await neighbours.close();
    await collect(parts);
    expect(sshd.log().split('Accepted publickey').length - before).toBe(1);
    await parts.close();
    expect(await reasonOf(parts)).toMatch(/this client was closed$|the connection broke off: /);
  });

  it('lets go at once when cancelled', async () => {
    host.script('lshw', 'sleep 60');
    const cancel = new AbortController();
    const running = collect(sources().hardware, cancel.signal);
    const ended = expect(running).rejects.toThrow('enough');
    await expect.poll(() => host.ran().some((line) => line.startsWith('lshw')), { timeout: 20_000 }).toBe(true);
    cancel.abort(new Error('enough'));
    await ended;
  });

  it('tells how far it is', async () => {
    const steps: string[] = [];
    const progress = (done: number, total: number) => steps.push(`${done}/${total}`);
    await sources().hardware.collect({ progress }, new AbortController().signal);
    expect(steps).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5', '6/7', '7/7']);
  });
});

it('a host gives only what its settings name', () => {
  const made = sourcesOf(null, {}, { collect: ['neighbours'] });
  expect([made.neighbours === null, made.hardware === null]).toEqual([false, true]);
});

it('a host whose entry cannot be used is unreachable, with the reason', async () => {
  const { neighbours, hardware } = both(sourcesOf(null, {}, { broken: 'keyFile: no such file' }));
  expect([await reasonOf(neighbours), await reasonOf(hardware)]).toEqual([
    'keyFile: no such file',
    'keyFile: no such file',
  ]);
});
