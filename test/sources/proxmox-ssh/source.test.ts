import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { KnownCluster, ReadPlan } from '../../../src/domain/observation.js';
import type { SshSettings } from '../../../src/domain/settings.js';
import type { ProxmoxSource } from '../../../src/sources/proxmox/source.js';
import { proxmoxSshSource } from '../../../src/sources/proxmox-ssh/source.js';
import { age, known, knownGuest, row, T0 } from '../proxmox/known.js';
import { container, guest } from '../proxmox/scripted-pve.js';
import { all, collect, never, observe, partOf, settings, slice, told } from '../proxmox/source-rig.js';
import { describeSshd, type Sshd, startSshd } from '../sshd.js';
import { type FakeNode, fakeNode, smallCluster } from './fake-node.js';

describeSshd('one pass over a cluster by SSH', () => {
  let sshd: Sshd;
  let node: FakeNode;
  const sources: ProxmoxSource[] = [];
  beforeAll(async () => {
    sshd = await startSshd();
    return () => sshd.stop();
  });
  beforeEach(() => {
    node = fakeNode();
  });
  afterEach(async () => {
    await Promise.all(sources.splice(0).map((each) => each.close()));
    node.end();
  });

  const source = (more: { ssh?: Partial<SshSettings>; now?: () => number } = {}) => {
    const over = settings([], { api: null, ssh: sshd.settings(more.ssh) });
    const made = proxmoxSshSource(over, { now: more.now ?? (() => T0), paths: node.paths, sudo: false });
    sources.push(made);
    return made;
  };
  /** What the gateway knows after a pass at T0 in which all of these were read. */
  const knowing = (marked: string | null, vmids: readonly number[], more: Partial<KnownCluster> = {}) =>
    known(
      vmids.map((vmid) => knownGuest(row(vmid))),
      { activityMark: marked, power: new Map([['pve1', age(T0)]]), ...more },
    );

  it('reads the lists, all configs in one command, the power details, and nothing inside of guests', async () => {
    smallCluster(node, [
      guest(101),
      container(102),
      guest(103, { status: 'stopped', uptime: 0, node: 'pve2' }),
      guest(104),
    ]);
    node.conf('pve1', 'qemu-server', 104, 'name: none\ncores: 1\n');
    node.answer('/nodes/pve1/qemu --full 1', [{ vmid: 101, status: 'running', qmpstatus: 'paused' }]);
    const progress: string[] = [];
    const outcome = await source().collect(
      { known: known(), plan: all, progress: (done, total) => progress.push(`${done}/${total}`) },
      never(),
    );
    if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
    expect(outcome.value).toMatchObject({
      ...{ askedAt: T0, proxmoxName: 'lab', version: '9.1.1', quorate: true, quorumKnown: true, full: true },
      nodes: [{ name: 'pve1', status: 'ONLINE', ip: '10.0.0.1' }, { name: 'pve2' }],
      rows: [{ vmid: 101 }, { vmid: 102, kind: 'LXC' }, { vmid: 103, status: 'STOPPED' }, { vmid: 104 }],
    });
    // Of 101 and 102, which run and could be asked, nothing is said of addresses: neither read, nor none, nor failed.
    expect(told(outcome.value.parts)).toEqual([
      'addresses 103 none: stopped',
      'addresses 104 none: no guest agent is configured',
      ...['config 101 read', 'config 102 read', 'config 103 read', 'config 104 read'],
      ...['power pve1 read', 'power pve2 read'],
    ]);
    expect(partOf(outcome.value, 'power', 'pve1')).toMatchObject({ value: new Map([[101, 'paused']]) });
    expect(node.asked()).toEqual([
      ...[
        '/cluster/resources',
        '/cluster/status',
        '/nodes/pve1/qemu --full 1',
        '/nodes/pve2/qemu --full 1',
        '/version',
      ],
    ]);
    // Those five, the list of configs and the configs.
    expect(outcome.requests).toBe(7);
    expect(progress.at(-1)).toBe('6/6');
    expect(outcome.value.notes).toEqual([expect.stringContaining('addresses inside running guests are not read')]);
  });

  it('costs three commands when nothing changed', async () => {
    smallCluster(node, [guest(101)]);
    const asking = source();
    const first = await observe(asking);
    node.asked();
    const again = await collect(asking, slice(50), knowing(first.activityMark, [101]));
    expect(again).toMatchObject({ requests: 3, value: { parts: [], full: false, version: '9.1.1' } });
    expect(node.asked()).toEqual(['/cluster/resources', '/cluster/status']);
  });

  it('reads the guest whose config was written since, and the one that the list shows as changed, of many', async () => {
    smallCluster(node, [guest(101), guest(102), guest(103)]);
    const asking = source();
    const { activityMark } = await observe(asking);
    node.conf('pve1', 'qemu-server', 102, 'name: edited\ncores: 8\nagent: 1\n');
    const knows = known([knownGuest(row(101)), knownGuest(row(102)), knownGuest(row(103, { name: 'earlier' }))], {
      activityMark,
      power: new Map([['pve1', age(T0)]]),
    });
    const seen = await observe(asking, slice(0), knows);
    expect(told(seen.parts).filter((part) => part.startsWith('config'))).toEqual([
      'config 102 read',
      'config 103 read',
    ]);
    expect(partOf(seen, 'config', '102')).toMatchObject({ value: { name: 'edited', cpus: 8 } });
    const next = await observe(asking, slice(0), knowing(seen.activityMark, [101, 102, 103]));
    expect(next.parts).toEqual([]);
  });

  it('reads all configs again once a round, and when it cannot tell which were written', async () => {
    smallCluster(node, [guest(101), guest(102)]);
    const asking = source({ now: () => T0 + 100_000 });
    const { activityMark } = await observe(asking);
    const round = await observe(asking, slice(1), knowing(activityMark, [101, 102]));
    expect(told(round.parts)).toEqual(
      expect.arrayContaining(['config 101 read', 'config 102 read', 'power pve1 read']),
    );
    const blind = await observe(source(), slice(0), knowing(null, [101, 102]));
    expect(told(blind.parts)).toEqual(expect.arrayContaining(['config 101 read', 'config 102 read']));
  });

  it('proves absence by the list of configs', async () => {
    smallCluster(node, [guest(101)]);
    node.conf('pve2', 'lxc', 302, 'hostname: hidden\n');
    const question: ReadPlan = slice(0, { part: 'vmid', key: '301' }, { part: 'vmid', key: '101' });
    const seen = await observe(source(), question, knowing(null, [101, 302, 303]));
    expect(seen.parts.filter(({ result }) => result.part === 'vmid').map(({ key, result }) => [key, result])).toEqual([
      ['302', { kind: 'read', part: 'vmid', value: { free: false } }],
      ['303', { kind: 'read', part: 'vmid', value: { free: true } }],
      ['301', { kind: 'read', part: 'vmid', value: { free: true } }],
      ['101', { kind: 'read', part: 'vmid', value: { free: false } }],
    ]);
  });

  it('proves nothing by a list that cannot be read, and says so', async () => {
    smallCluster(node, [guest(101)]);
    for (const text of ['', '{}']) {
      node.writeVmlist(text);
      const seen = await observe(source(), slice(0), knowing(null, [101, 303]));
      expect(partOf(seen, 'vmid', '303')).toMatchObject({ kind: 'failed' });
      expect(seen.notes).toContainEqual(expect.stringContaining('/etc/pve/.vmlist could not be read'));
    }
    rmSync(join(node.paths.etcPve, '.vmlist'));
    const seen = await observe(source(), slice(0), knowing('kept', [101, 303]));
    expect(partOf(seen, 'vmid', '303')).toMatchObject({ reason: expect.stringContaining('No such file') });
    expect(seen.activityMark).toBeNull();
  });

  it('a config that vanished between the list and its reading fails alone', async () => {
    smallCluster(node, [guest(101), guest(102)]);
    rmSync(join(node.paths.etcPve, 'nodes/pve1/qemu-server/102.conf'));
    const seen = await observe(source());
    expect(told(seen.parts)).toEqual(
      expect.arrayContaining(['config 101 read', expect.stringMatching(/^config 102 failed: its config file is not/)]),
    );
  });

  it('what was read of a guest before it could not be asked any more is over, said once', async () => {
    smallCluster(node, [guest(101), container(102)]);
    const started = { ...row(101), status: 'STOPPED' as const };
    const stopped = known([knownGuest(started), knownGuest(row(102, { kind: 'LXC', status: 'STOPPED' }))]);
    const words = 'failed: over SSH the addresses inside a running guest are not read';
    const seen = await observe(source(), slice(0), stopped);
    expect(told(seen.parts)).toEqual(expect.arrayContaining([`addresses 101 ${words}`, `addresses 102 ${words}`]));
    const parts = { config: age(T0), addresses: age(T0, 1) };
    const once = known([knownGuest(started, { parts })], { activityMark: seen.activityMark });
    expect(told((await observe(source(), slice(0), once)).parts).join()).not.toContain('addresses 101');
  });

  it.each([
    ['pvesh fails', 'echo "ipcc_send_rec[1] failed: Connection refused" >&2; exit 111', 'ipcc_send_rec[1] failed'],
    ['pvesh answers half', 'echo \'[{"type":\'; exit 0', 'breaks off'],
    ['pvesh answers something else', "echo '{}'", 'the answer is no list'],
    [
      'pvesh lists no node',
      "echo '[]'",
      'pvesh get /cluster/resources is an empty list, and Proxmox lists its nodes whatever the rights; try it on that node',
    ],
  ])('is unreachable where %s', async (_, body, words) => {
    smallCluster(node, [guest(101)]);
    node.script('/cluster/resources', body);
    expect(await collect(source())).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringContaining(words),
    });
  });

  it('is unreachable where there is no pvesh, with a guess why', async () => {
    smallCluster(node, []);
    rmSync(node.paths.pvesh);
    expect(await collect(source())).toMatchObject({ reason: expect.stringContaining('is it a Proxmox VE node?') });
  });

  it('names the host where it cannot be reached, and the key it showed', async () => {
    const wrong = source({ ssh: { hostKeyFingerprint: `SHA256:${'A'.repeat(43)}` } });
    const outcome = await collect(wrong);
    expect(outcome).toMatchObject({ kind: 'unreachable', requests: 0 });
    expect(JSON.stringify(outcome)).toContain(`127.0.0.1:${sshd.port}: its host key is ${sshd.fingerprint()}`);
  });

  it('goes on without the membership and the power details where they are refused, and says so', async () => {
    smallCluster(node, [guest(101)]);
    node.script('/cluster/status', 'echo "Permission check failed" >&2; exit 255');
    node.script('/nodes/pve1/qemu --full 1', 'echo "proxy handler failed: timeout" >&2; exit 255');
    const seen = await observe(source());
    expect(seen).toMatchObject({ quorumKnown: false, quorate: true });
    expect(told(seen.parts)).toContain('power pve1 failed: proxy handler failed: timeout');
    expect(seen.notes).toEqual(
      expect.arrayContaining([
        expect.stringContaining('/cluster/status could not be read'),
        'the power detail of node pve1 could not be read: proxy handler failed: timeout',
      ]),
    );
  });

  it('is cancelled in the middle', async () => {
    smallCluster(node, [guest(101)]);
    node.script('/cluster/status', 'exec timeout 3 sleep 60');
    const cancel = new AbortController();
    const collecting = source().collect({ known: known(), plan: all }, cancel.signal);
    const ended = expect(collecting).rejects.toThrow('the gateway stops');
    setTimeout(() => cancel.abort(new Error('the gateway stops')), 200);
    await ended;
  });

  it('that cannot be used as written is unreachable, and asks nobody', async () => {
    const broken = proxmoxSshSource(settings([], { api: null, broken: 'keyFile cannot be read' }), { now: () => T0 });
    expect(await collect(broken)).toEqual({
      kind: 'unreachable',
      at: T0,
      reason: 'keyFile cannot be read',
      requests: 0,
    });
  });
});
