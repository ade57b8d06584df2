import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import type { AddressClass } from '../../src/domain/policy.js';
import { DAY, HOUR, isoTime, MINUTE } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { Run, type RunWish } from '../testkit/domain-run.js';
import { neighbours, npm, unifi } from '../testkit/domain-services.js';

const NPM = 'npm:edge';
const UNKNOWN = 'PROXY_TARGET_UNKNOWN:edge/1:10.0.0.9:80';
const STOPPED = 'PROXY_TARGET_STOPPED:edge/1:10.0.0.5:80';

/** Guest 100 at 10.0.0.5/24, running as declared. */
function estate(wish: RunWish = {}, guest: object = {}): Run {
  const run = new Run(wish);
  run.estate.guest({ vmid: 100, name: 'web', devices: [{ shows: ['10.0.0.5'] }], ...guest });
  run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]).settle();
  return run;
}

const pointing = (run: Run, target: string, more: object = {}) =>
  run.serve(NPM, npm({ hosts: [{ id: 1, target, ...more }] })).settle();

describe('a proxy host that points to nobody', () => {
  it('is told by its target, locations too', () => {
    const run = pointing(estate(), '10.0.0.5:80', { locations: { '/old': '10.0.0.9:80' } });
    expect(run.open()).toEqual([UNKNOWN]);
    expect(run.finding(UNKNOWN)).toMatchObject({
      severity: 'WARNING',
      category: 'NETWORK',
      declared: '10.0.0.9:80',
      observed: null,
      guests: [],
      clusters: ['main'],
      message: 'host1.example.org is sent to 10.0.0.9:80, and nobody carries, declares or answers for 10.0.0.9',
    });
  });

  it('is none if it is switched off, a name, where no guest lives, or classified', () => {
    expect(pointing(estate(), '10.0.0.9:80', { enabled: false }).open()).toEqual([]);
    expect(pointing(estate(), 'nobody.lan:80').open()).toEqual([]);
    expect(pointing(estate(), '192.168.7.9:80').open()).toEqual([]);
    for (const named of ['node', 'gateway', 'virtual', 'external'] satisfies AddressClass[]) {
      const network = cidr('10.0.0.9');
      if (network === undefined) throw new Error('no prefix');
      const run = estate({ policy: { addressClasses: [{ cidr: network, class: named }] } });
      expect(pointing(run, '10.0.0.9:80').open(), named).toEqual([]);
    }
    const node = estate();
    node.estate.node('pve1', { ip: '10.0.0.9' });
    expect(pointing(node.full(), '10.0.0.9:80').open()).toEqual([]);
  });

  it('is none if somebody carries it, declares it, or answered for it within 30 days', () => {
    const carried = estate();
    carried.estate.guest({ vmid: 101, devices: [{ shows: ['10.0.0.9'] }] });
    carried.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101, addresses: ['10.0.0.9'] })]);
    expect(pointing(carried, '10.0.0.9:80').open()).toEqual([]);
    const declared = estate();
    declared.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 900, addresses: ['10.0.0.9'] })]);
    expect(pointing(declared, '10.0.0.9:80').open()).toEqual(['GUEST_MISSING:main/900:']);
    const answered = estate();
    const client = { mac: '02:00:00:00:00:09', address: '10.0.0.9', seenAt: answered.estate.now - 29 * DAY };
    answered.serve('unifi:campus', unifi({ clients: [client] }));
    expect(pointing(answered, '10.0.0.9:80').open()).toEqual([]);
    const past = { ...client, seenAt: answered.estate.now - 31 * DAY };
    answered.serve('unifi:campus', unifi({ clients: [{ ...past, mac: '02:00:00:00:00:0a', address: '10.0.0.8' }] }));
    expect(pointing(answered, '10.0.0.8:80').open()).toEqual(['PROXY_TARGET_UNKNOWN:edge/1:10.0.0.8:80']);
  });

  it('waits for the guests to be read after it was written, and asks for that', () => {
    const run = pointing(estate(), '10.0.0.5:80');
    run.estate.pass(MINUTE);
    run.serve(NPM, npm({ hosts: [{ id: 1, target: '10.0.0.9:80' }] }));
    expect(run.open()).toEqual([]);
    expect(run.comparison.asks.map(({ part }) => part)).toEqual(['config', 'addresses']);
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5', '10.0.0.9'] }] });
    run.settle();
    expect(run.events.filter(({ id }) => id === UNKNOWN)).toEqual([]);
  });

  it('is not told while guests cannot be read, a file is out of reach, or an observer is silent', () => {
    const dead = estate({}, { agentDead: true });
    expect(
      pointing(dead, '10.0.0.9:80')
        .open()
        .filter((id) => id === UNKNOWN),
    ).toEqual([]);
    const lost = estate().lose(TABLE);
    expect(pointing(lost, '10.0.0.9:80').open()).toEqual([]);
    const unheard = estate().serve('ip_neigh:main/pve1', neighbours('pve1')).silence('ip_neigh:main/pve1');
    expect(pointing(unheard, '10.0.0.9:80').open()).toEqual([]);
    unheard.serve('ip_neigh:main/pve1', neighbours('pve1'));
    expect(unheard.open()).toEqual([UNKNOWN]);
  });

  it('is told despite guests that nobody can ask only where an observer would have heard them', () => {
    const run = estate();
    run.estate.guest({ vmid: 101, agent: false, devices: [{ shows: ['10.0.0.9'] }] });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101 })]).settle();
    expect(pointing(run, '10.0.0.9:80').open()).toEqual([]);
    run.serve('ip_neigh:main/pve1', neighbours('pve1')).settle();
    expect(run.open()).toEqual([UNKNOWN]);
  });

  it('ends when somebody has the address, when it points elsewhere, is deleted, or is collected no more', () => {
    const open = () => pointing(estate(), '10.0.0.9:80');
    const carried = open();
    carried.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5', '10.0.0.9'] }] });
    expect(carried.full().finding(UNKNOWN).state).toBe('RESOLVED');
    expect(pointing(open(), '10.0.0.5:80').finding(UNKNOWN).state).toBe('RESOLVED');
    expect(open().serve(NPM, npm({})).finding(UNKNOWN).state).toBe('RESOLVED');
    const retired = open().retireService(NPM);
    expect(retired.finding(UNKNOWN).state).toBe('RESOLVED');
    expect(retired.events.at(-1)).toMatchObject({ reason: 'the proxy is no longer collected' });
  });
});

describe('a proxy host whose guest is stopped', () => {
  function halted(more: object = {}): Run {
    const run = pointing(estate(), '10.0.0.5:80', more);
    run.estate.pass(10 * MINUTE);
    run.estate.stop(100);
    return run.tick();
  }

  it('is told once that is settled, and compared when it is due', () => {
    const run = halted();
    expect(run.open()).toEqual([]);
    const stoppedAt = run.view.guestsByKey.get('main/100')?.row.since.status.before ?? 0;
    expect(run.comparison.due).toBe(stoppedAt + 5 * MINUTE);
    run.wait(5 * MINUTE);
    expect(run.open()).toEqual([STOPPED]);
    expect(run.finding(STOPPED)).toMatchObject({
      severity: 'WARNING',
      category: 'STATE',
      declared: '10.0.0.5:80',
      observed: 'stopped',
      guests: ['main/100@1'],
      message: 'host1.example.org is sent to 10.0.0.5:80, and main/100 (web) is stopped',
    });
    run.estate.start(100);
    expect(run.tick().finding(STOPPED).state).toBe('RESOLVED');
  });

  it('is none after a reboot, if switched off, or if another one that runs has the address too', () => {
    const reboot = halted();
    reboot.estate.pass(MINUTE);
    reboot.estate.start(100);
    reboot.tick().wait(10 * MINUTE);
    expect(reboot.events).toEqual([]);
    expect(halted({ enabled: false }).wait(HOUR).open()).toEqual([]);
    const moved = halted();
    moved.estate.guest({ vmid: 101, devices: [{ shows: ['10.0.0.5'] }] });
    moved
      .write(TABLE, [row({ vmid: 100 }), row({ vmid: 101, addresses: ['10.0.0.5'] })])
      .settle()
      .wait(10 * MINUTE);
    expect(moved.open()).toEqual([]);
  });

  it('is swallowed where its guest is declared running', () => {
    const run = estate();
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'], status: 'running' })]);
    pointing(run, '10.0.0.5:80');
    run.estate.pass(10 * MINUTE);
    run.estate.stop(100);
    run.tick().wait(10 * MINUTE);
    expect(run.open()).toEqual(['STATUS_DIFFERS:main/100@1:status']);
    expect(run.comparison.so.get(STOPPED)?.swallowedBy).toBe('STATUS_DIFFERS:main/100@1:status');
  });

  it('stays while the proxy, the cluster or the node is out of sight', () => {
    const proxy = halted()
      .wait(5 * MINUTE)
      .silence(NPM);
    proxy.estate.start(100);
    expect(proxy.tick().open()).toEqual([STOPPED]);
    expect(
      halted()
        .wait(5 * MINUTE)
        .unreachable()
        .wait(DAY)
        .open(),
    ).toEqual([STOPPED]);
    const node = halted().wait(5 * MINUTE);
    node.estate.node('pve1', { online: false });
    expect(node.tick().open()).toEqual([STOPPED]);
  });

  it('settles for as long as the policy says', () => {
    const run = pointing(estate({ policy: { settle: { status: 0, node: 0, proxyTarget: HOUR } } }), '10.0.0.5:80');
    run.estate.pass(10 * MINUTE);
    run.estate.stop(100);
    expect(
      run
        .tick()
        .wait(59 * MINUTE)
        .open(),
    ).toEqual([]);
    expect(run.wait(MINUTE).open()).toEqual([STOPPED]);
  });

  it('stays told through a backup, which shows a stopped guest as running, and is not told of one that it holds down', () => {
    const run = pointing(estate({}, { power: 'STOPPED', devices: [{ ip4: '10.0.0.5/24' }] }), '10.0.0.5:80');
    run
      .wait(10 * MINUTE)
      .full()
      .settle();
    expect(run.open()).toContain(STOPPED);
    run.estate.guest({ vmid: 100, power: 'RUNNING', lock: 'backup' });
    run
      .wait(10 * MINUTE)
      .full()
      .settle();
    run.estate.guest({ vmid: 100, power: 'STOPPED', lock: null });
    run
      .wait(10 * MINUTE)
      .full()
      .settle();
    expect(run.events.filter(({ id }) => id === STOPPED).map(({ type }) => type)).toEqual(['OPENED']);

    const other = pointing(estate({}, { devices: [{ ip4: '10.0.0.5/24' }] }), '10.0.0.5:80')
      .full()
      .settle();
    other.estate.guest({ vmid: 100, power: 'STOPPED', lock: 'backup' });
    other
      .wait(10 * MINUTE)
      .full()
      .settle();
    expect(other.events.filter(({ id }) => id === STOPPED)).toEqual([]);
  });
});

describe('a certificate that ends', () => {
  const ID = 'CERTIFICATE_EXPIRING:edge/7:';
  const served = (run: Run, notAfter: number | null) =>
    run.serve(
      NPM,
      npm({ hosts: [{ id: 1, target: '10.0.0.5:80', certificateId: 7 }], certificates: [{ id: 7, notAfter }] }),
    );

  /** A certificate that ends in so many days, looked at every hour. */
  function ending(days: number, wish: RunWish = {}): { run: Run; notAfter: number } {
    const run = estate(wish);
    const notAfter = run.estate.now + days * DAY;
    return { run: served(run, notAfter), notAfter };
  }

  it('is told from 30 days before on, critical from 7, and looked at again when it crosses', () => {
    const { run, notAfter } = ending(31);
    expect(run.open()).toEqual([]);
    expect(run.comparison.due).toBe(notAfter - 30 * DAY);
    run.estate.pass(DAY);
    served(run, notAfter);
    expect(run.open()).toEqual([ID]);
    expect(run.finding(ID)).toMatchObject({
      severity: 'WARNING',
      category: 'SECURITY',
      observed: isoTime(notAfter),
      guests: ['main/100@1'],
      message: `The certificate for host7.example.org ends at ${isoTime(notAfter)}`,
      onsetAfter: notAfter - 30 * DAY,
      onsetBefore: notAfter - 30 * DAY,
    });
    expect(run.finding(ID).evidence.map(({ text }) => text)).toEqual(['30 days left', 'used by host1.example.org']);
    expect(run.comparison.due).toBe(notAfter - 7 * DAY);
    run.estate.pass(23 * DAY);
    served(run, notAfter);
    expect(run.finding(ID)).toMatchObject({ severity: 'CRITICAL', state: 'OPEN' });
    run.estate.pass(8 * DAY);
    served(run, notAfter);
    expect(run.finding(ID).severity).toBe('CRITICAL');
    expect(run.comparison.so.get(ID)?.evidence[0]?.text).toBe('ended 1 day ago');
    expect(run.events.map(({ type }) => type)).toEqual(['OPENED', 'UPDATED']);
  });

  it('names those who use it in one order, in whichever they came to be known', () => {
    const told = [2, 1].map((first) => {
      const run = estate();
      const host = (id: number) => ({ id, target: '10.0.0.5:80', certificateId: 7 });
      const certificates = [{ id: 7, notAfter: run.estate.now + DAY }];
      run.serve(NPM, npm({ hosts: [host(first), host(3 - first)], certificates }));
      return run.finding(ID).evidence.map(({ text }) => text)[1];
    });
    expect(told).toEqual([
      'used by host1.example.org, host2.example.org',
      'used by host1.example.org, host2.example.org',
    ]);
  });

  it('ends when it is renewed or deleted, and stays while the proxy is silent or says no date', () => {
    const { run, notAfter } = ending(5);
    run.silence(NPM).wait(DAY);
    expect(run.open()).toEqual([ID]);
    served(run, null);
    expect(run.open()).toEqual([ID]);
    served(run, notAfter + 90 * DAY);
    expect(run.finding(ID).state).toBe('RESOLVED');
    expect(ending(5).run.serve(NPM, npm({})).finding(ID).state).toBe('RESOLVED');
    expect(ending(5).run.retireService(NPM).finding(ID).state).toBe('RESOLVED');
  });

  it('has the days and the severity that the policy gives', () => {
    const certificates = { warningDays: 10, criticalDays: 10 };
    expect(ending(11, { policy: { certificates } }).run.open()).toEqual([]);
    expect(ending(10, { policy: { certificates } }).run.finding(ID).severity).toBe('CRITICAL');
    const severities = { CERTIFICATE_EXPIRING: 'INFO' as const };
    expect(ending(3, { policy: { severities } }).run.finding(ID).severity).toBe('INFO');
  });
});
