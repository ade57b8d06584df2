import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { Run, type RunWish } from '../testkit/domain-run.js';
import { aPart, hardware, neighbours, unifi } from '../testkit/domain-services.js';

const ID = 'ADDRESS_ANSWERED_BY_OTHER:10.0.0.5:';
const HOST = 'ip_neigh:main/pve1';
const OWN = 'bc:24:11:00:00:64';
const STRANGER = '02:00:00:00:00:99';

/** Guest 100 with an agent that shows 10.0.0.5, declared so, and read a minute ago. */
function agreed(guest: object = {}, wish: RunWish = {}): Run {
  const run = new Run(wish);
  run.estate.guest({ vmid: 100, name: 'web', devices: [{ mac: OWN, shows: ['10.0.0.5'] }], ...guest });
  run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]).settle();
  run.estate.pass(MINUTE);
  return run;
}

/** A host looks, and its neighbour with this MAC has answered a second ago. */
function heard(run: Run, mac: string, more: object = {}): Run {
  const seenAt = run.estate.now - 1_000;
  return run.serve(HOST, neighbours('pve1', { address: '10.0.0.5', mac, seenAt, ...more }));
}

/** As found: a stranger was heard, and the guest still has its address when read again. */
function found(): Run {
  const run = heard(agreed(), STRANGER).tick();
  expect(run.open()).toEqual([ID]);
  return run;
}

const opened = (run: Run) => run.events.filter(({ id }) => id === ID).map(({ type }) => type);

describe('a stranger that answers for the address of a guest', () => {
  it('is told once the guest still has the address when read after it, and that read is asked for', () => {
    const run = heard(agreed(), STRANGER);
    expect(run.open()).toEqual([]);
    expect(run.comparison.asks.map(({ part, key }) => `${part} ${key}`)).toEqual(['config 100', 'addresses 100']);
    run.tick();
    expect(run.open()).toEqual([ID]);
    expect(run.finding(ID)).toMatchObject({
      severity: 'WARNING',
      category: 'SECURITY',
      declared: null,
      observed: STRANGER,
      guests: ['main/100@1'],
      clusters: ['main'],
      message: `10.0.0.5 of main/100 (web) is answered by ${STRANGER}`,
    });
    expect(run.finding(ID).evidence[0]).toMatchObject({
      source: HOST,
      text: `pve1 on vmbr0 saw ${STRANGER} answer for 10.0.0.5`,
    });
  });

  it('is told of a controller as of a host, and names the guest whose MAC it is', () => {
    const run = agreed();
    run.estate.guest({ vmid: 101, name: 'thief', devices: [{ mac: STRANGER, shows: [] }] });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101 })]).settle();
    run.estate.pass(MINUTE);
    run
      .serve('unifi:campus', unifi({ clients: [{ mac: STRANGER, address: '10.0.0.5', seenAt: run.estate.now }] }))
      .tick();
    expect(run.open()).toEqual([ID]);
    expect(run.finding(ID)).toMatchObject({
      guests: ['main/100@1', 'main/101@1'],
      message: `10.0.0.5 of main/100 (web) is answered by ${STRANGER}, which main/101 (thief) has`,
    });
  });

  it('is told in one order where there are several, whatever order they came to be known in', () => {
    const [first, second] = [STRANGER, '02:00:00:00:00:98'].map((mac, i, both) => {
      const run = agreed();
      const other = both[1 - i] ?? '';
      const seenAt = run.estate.now - 1_000;
      const clients = [mac, other].map((one) => ({ mac: one, address: '10.0.0.5', seenAt }));
      run.serve('unifi:campus', unifi({ clients })).tick();
      const { observed, message, evidence } = run.finding(ID);
      return { observed, message, texts: evidence.map(({ text }) => text) };
    });
    expect(second).toEqual(first);
  });

  it('is told of a stopped guest whose config has the address, and not of one that was only seen with it', () => {
    for (const [ip4, ids] of [
      ['10.0.0.5/24', [ID]],
      ['dhcp', []],
    ] as const) {
      const run = agreed({ devices: [{ mac: OWN, ip4, shows: ['10.0.0.5'] }] });
      run.estate.stop(100);
      run.tick().settle();
      run.estate.pass(MINUTE);
      heard(run, STRANGER).tick();
      expect(run.open(), ip4).toEqual(ids);
    }
  });

  it('is none if it is the guest itself, on whatever MAC inside it, a node, VRRP, second hand, or long silent', () => {
    const bridged = agreed({
      devices: [
        { mac: OWN, shows: ['10.0.0.5'] },
        { mac: '02:00:00:00:00:01', shows: [] },
      ],
    });
    expect(heard(bridged, '02:00:00:00:00:01').tick().open()).toEqual([]);
    expect(heard(agreed(), OWN).tick().open()).toEqual([]);
    expect(heard(agreed(), '00:00:5e:00:01:0a').tick().open()).toEqual([]);
    expect(heard(agreed(), STRANGER, { secondHand: true }).tick().open()).toEqual([]);
    expect(heard(agreed(), STRANGER, { seenAt: null }).tick().open()).toEqual([]);
    const node = agreed();
    node.serve(
      'hardware:main/pve1',
      hardware({ pve1: { parts: [aPart('network', '0000:01:00.0', { detail: STRANGER })] } }),
    );
    expect(heard(node, STRANGER).tick().open()).toEqual([]);
    const past = agreed();
    expect(
      heard(past, STRANGER, { seenAt: past.estate.now - 2 * HOUR })
        .tick()
        .open(),
    ).toEqual([]);
  });

  it('is none where the address is virtual, or lives in another scope', () => {
    const network = cidr('10.0.0.5');
    if (network === undefined) throw new Error('no prefix');
    const virtual = agreed({}, { policy: { addressClasses: [{ cidr: network, class: 'virtual' }] } });
    expect(heard(virtual, STRANGER).tick().open()).toEqual([]);
    const rule = { node: null, bridge: 'vmbr1', tag: null, perNode: true, scope: 'nat' };
    const other = agreed({}, { settings: { main: { addressScopes: [rule] } } });
    expect(heard(other, STRANGER, { device: 'vmbr1' }).tick().open()).toEqual([]);
    expect(heard(other, STRANGER).tick().open()).toEqual([ID]);
  });

  it('is none when an address moves on: a lease that another machine gets next, a guest that is renumbered', () => {
    for (const ip4 of ['dhcp', null]) {
      const run = agreed({ devices: [{ mac: OWN, ip4, shows: ['10.0.0.5'] }] });
      run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.6'] }] });
      heard(run, STRANGER).tick();
      run.estate.pass(15 * MINUTE);
      heard(run, STRANGER).tick().settle();
      expect(opened(run), String(ip4)).toEqual([]);
    }
  });

  it('is swallowed by the duplicate that two guests make', () => {
    const run = agreed();
    run.estate.guest({ vmid: 101, devices: [{ mac: STRANGER, shows: ['10.0.0.5'] }] });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101 })]);
    run
      .serve(HOST, neighbours('pve1', { address: '10.0.0.5', mac: '02:00:00:00:00:77', seenAt: run.estate.now }))
      .settle();
    expect(run.comparison.so.get(ID)?.swallowedBy).toBe('DUPLICATE_ADDRESS:10.0.0.5:');
    expect(run.open()).toEqual(['DUPLICATE_ADDRESS:10.0.0.5:']);
  });
});

describe('the finding of a stranger', () => {
  it('makes no noise while it lasts, whatever of the guest is read or changes', () => {
    const run = found();
    for (let look = 0; look < 4; look++) {
      run.estate.pass(15 * MINUTE);
      run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5', `fd00::${look + 1}`] }] });
      run.full();
      heard(run, STRANGER).settle();
    }
    expect(opened(run)).toEqual(['OPENED']);
    expect(run.comparison.asks).toEqual([]);
  });

  it('ends when its observer sees the guest itself again', () => {
    const run = found();
    run.estate.pass(15 * MINUTE);
    heard(run, OWN);
    expect(run.finding(ID)).toMatchObject({ state: 'RESOLVED' });
  });

  it('ends when the observer looked for an hour and did not hear the stranger again', () => {
    const run = found();
    const silent = { address: '10.0.0.5', mac: STRANGER, seenAt: null };
    run.wait(90 * MINUTE);
    expect(run.open()).toEqual([ID]);
    run.serve(HOST, neighbours('pve1', silent));
    // The contract of these tests looks once an hour, and four looks it takes.
    expect(run.open()).toEqual([ID]);
    for (let look = 0; look < 3; look++) {
      run.wait(HOUR).full();
      run.serve(HOST, neighbours('pve1', silent));
    }
    expect(run.finding(ID)).toMatchObject({ state: 'RESOLVED' });
    heard(run, STRANGER).tick();
    expect(opened(run)).toEqual(['OPENED', 'RESOLVED', 'REOPENED']);
  });

  it('ends when the guest has the address no more, or is gone; not while it cannot be read', () => {
    const blind = found();
    blind.estate.guest({ vmid: 100, agentDead: true });
    blind.full().unreachable();
    expect(blind.open()).toEqual([ID]);
    const moved = found();
    moved.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.6'] }] });
    moved.full();
    expect(moved.finding(ID)).toMatchObject({ state: 'RESOLVED' });
    const gone = found();
    gone.estate.remove(100);
    gone.settle();
    expect(gone.finding(ID)).toMatchObject({ state: 'RESOLVED' });
  });

  it('stays while its observer cannot be asked, and ends with it', () => {
    const run = found().silence(HOST);
    run.wait(DAY).full();
    expect(run.open()).toEqual([ID]);
    run.retireService(HOST);
    expect(run.finding(ID)).toMatchObject({ state: 'RESOLVED' });
  });
});

it('opens nothing on the word of an observer that is silent or stale', () => {
  const silent = heard(agreed(), STRANGER).silence(HOST).tick();
  expect(silent.open()).toEqual([]);
  const stale = agreed();
  heard(stale, STRANGER).wait(3 * HOUR);
  stale.full().full();
  expect(stale.open()).toEqual([]);
});
