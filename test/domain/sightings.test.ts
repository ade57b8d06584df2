import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import { classifier } from '../../src/domain/classify.js';
import { bindDeclarations } from '../../src/domain/compare/binding.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { sightingsOf } from '../../src/domain/sightings.js';
import { DAY, HOUR } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from '../testkit/domain-declared.js';
import { Run, type RunWish } from '../testkit/domain-run.js';
import { neighbours, unifi } from '../testkit/domain-services.js';
import { Estate } from '../testkit/estate-model.js';
import { ip, mac } from '../testkit/view.js';

const MAC = '02:00:00:00:00:09';
const HOST = 'ip_neigh:main/pve1';
const NAT = { node: null, bridge: 'vmbr1', tag: null, perNode: true, scope: 'nat' };
const TAGGED = { node: null, bridge: 'vmbr0', tag: '20', perNode: false, scope: 'vlan20' };
const RULES: RunWish = { settings: { main: { addressScopes: [NAT, TAGGED] } } };

const seen = (run: Run) => [...sightingsOf(run.view).keys()].sort();

/** What an address comes to in a run's view, by scope where one is given. */
function named(run: Run, address: string, scope?: string, macs: readonly string[] = []) {
  const classify = classifier(run.view, run.policy, bindDeclarations(run.view));
  return classify(ip(address), { scope, macs: macs.map(mac) });
}

describe('a sighting', () => {
  it('lives in the scope that its host’s device gives it, as a guest’s device would', () => {
    const run = new Run(RULES).full();
    const seenAt = run.estate.now;
    const on = (device: string, last: number) => ({ device, address: `10.0.0.${last}`, mac: MAC, seenAt });
    run.serve(
      HOST,
      neighbours('pve1', on('vmbr0', 1), on('vmbr1', 2), on('vmbr0.20', 3), on('vmbr0v20', 4), on('eno1', 5)),
    );
    expect(seen(run)).toEqual([
      'default/10.0.0.1',
      'default/10.0.0.5',
      'nat@pve1/10.0.0.2',
      'vlan20/10.0.0.3',
      'vlan20/10.0.0.4',
    ]);
  });

  it('says who answered, where and when; one that is only remembered says no time', () => {
    const run = new Run().full();
    const seenAt = run.estate.now - HOUR;
    run.serve(HOST, neighbours('pve1', { address: '10.0.0.1', mac: MAC, seenAt }));
    expect(sightingsOf(run.view).get('default/10.0.0.1')).toEqual([
      {
        ...{ by: 'NEIGHBOUR', source: HOST, scope: 'default', address: '10.0.0.1', mac: MAC, at: seenAt },
        ...{ secondHand: false, where: 'pve1 on vmbr0', since: { after: null, before: null } },
      },
    ]);
    run.serve(HOST, neighbours('pve1', { address: '10.0.0.2', mac: MAC, seenAt: null }));
    expect(sightingsOf(run.view).get('default/10.0.0.2')?.[0]?.at).toBe(null);
  });

  it('of a controller lives in the scope that most of the guests it lists live in', () => {
    const estate = new Estate({ main: ['pve1'], edge: ['pve9'] });
    estate.guest({ vmid: 100, cluster: 'edge', node: 'pve9', devices: [{ mac: 'bc:24:11:00:00:01' }] });
    const run = new Run({ estate, settings: { edge: { addressScope: 'edge' } } }).full('main').full('edge');
    const phone = { mac: MAC, address: '10.0.0.7', seenAt: estate.now };
    const guest = { mac: 'bc:24:11:00:00:01', address: '10.0.0.8', seenAt: estate.now };
    run.serve('unifi:there', unifi({ clients: [phone, guest] })).serve('unifi:here', unifi({ clients: [phone] }));
    expect(seen(run)).toEqual(['default/10.0.0.7', 'edge/10.0.0.7', 'edge/10.0.0.8']);
  });

  it('of a controller lives in the one scope that all clusters have in common', () => {
    const run = new Run({ settings: { main: { addressScope: 'lan' } } }).full();
    run.serve('unifi:campus', unifi({ devices: [{ kind: 'switch', mac: MAC, address: '10.0.0.2' }] }));
    expect(sightingsOf(run.view).get('lan/10.0.0.2')?.[0]).toMatchObject({ by: 'UNIFI', at: run.estate.now });
  });

  it('stays while its service is silent, and goes with it or with its cluster', () => {
    const open = () => {
      const run = new Run().full();
      return run.serve(HOST, neighbours('pve1', { address: '10.0.0.1', mac: MAC, seenAt: run.estate.now }));
    };
    expect(seen(open().silence(HOST).wait(DAY))).toEqual(['default/10.0.0.1']);
    expect(seen(open().retireService(HOST))).toEqual([]);
    expect(seen(open().retire('main'))).toEqual([]);
  });
});

describe('an address is classified', () => {
  it('by policy before all else', () => {
    const network = cidr('10.0.0.0/24');
    if (network === undefined) throw new Error('no prefix');
    const run = new Run({ policy: { addressClasses: [{ cidr: network, class: 'external' }] } });
    run.estate.node('pve1', { ip: '10.0.0.1' });
    expect(named(run.full(), '10.0.0.1')).toBe('external');
    expect(DEFAULT_POLICY.addressClasses).toEqual([]);
  });

  it('as a node’s in its cluster’s scope, and not in another', () => {
    const run = new Run(RULES);
    run.estate.node('pve1', { ip: '10.0.0.1' });
    run.full();
    expect([undefined, 'default', 'nat@pve1'].map((scope) => named(run, '10.0.0.1', scope))).toEqual([
      'node',
      'node',
      undefined,
    ]);
  });

  it('as a node’s where an inventory calls its device like the node', () => {
    const run = new Run().full();
    const device = { kind: 'device' as const, key: 'd1', location: 'here', role: null, serial: null, status: null };
    run.write('netbox:dcim', [
      { ...device, name: 'pve1.example.org', addresses: [ip('10.9.0.1')] },
      { ...device, key: 'd2', name: 'printer', addresses: [ip('10.9.0.2')] },
      { ...line('pve2', '10.9.0.3'), device: 'pve2', scope: 'lab' },
    ]);
    expect(['10.9.0.1', '10.9.0.2', '10.9.0.3'].map((one) => named(run, one))).toEqual(['node', undefined, 'node']);
  });

  it('as virtual where declared so, or where VRRP’s MACs carry it or answer for it, also long ago', () => {
    const run = new Run(RULES).full();
    run.write(CONF, [{ ...line('VIP', '10.0.0.1'), virtual: true }]);
    const vrrp = { mac: '00:00:5e:00:01:01', seenAt: null };
    run.serve(
      HOST,
      neighbours('pve1', { ...vrrp, address: '10.0.0.2' }, { ...vrrp, address: '10.0.0.3', device: 'vmbr1' }),
    );
    run.silence(HOST);
    expect(named(run, '10.0.0.1', 'default')).toBe('virtual');
    expect(named(run, '10.0.0.1', 'lab')).toBe(undefined);
    expect(named(run, '10.0.0.2', 'default')).toBe('virtual');
    expect(named(run, '10.0.0.3', 'default')).toBe(undefined);
    expect(named(run, '10.0.0.4', 'default', ['00:00:5e:00:02:01'])).toBe('virtual');
    expect(named(run, '10.0.0.4', 'default', [MAC])).toBe(undefined);
  });

  it('as UniFi’s gateway, but virtual where routers share it; as dynamic in a DHCP range; not of networks that are off', () => {
    const run = new Run().full();
    const lan = { gateway: '10.0.0.1', dhcp: ['10.0.0.100', '10.0.0.199'] as const };
    const off = { gateway: '10.1.0.1', dhcp: ['10.1.0.100', '10.1.0.199'] as const, enabled: false };
    run.serve('unifi:campus', unifi({ networks: [lan, off] }));
    const asked = ['10.0.0.1', '10.0.0.99', '10.0.0.100', '10.0.0.199', '10.0.0.200', '10.1.0.1', '10.1.0.150'];
    const told = ['gateway', undefined, 'dynamic', 'dynamic', undefined, undefined, undefined];
    expect(asked.map((address) => named(run, address, 'default'))).toEqual(told);
    expect(named(run, '10.0.0.1', 'default', ['00:00:5e:00:01:01'])).toBe('virtual');
    expect(named(run, '10.0.0.150', 'lab')).toBe(undefined);
    expect(named(run.retireService('unifi:campus'), '10.0.0.1')).toBe(undefined);
  });
});

describe('what was seen answering', () => {
  const UNUSED = 'DECLARED_ADDRESS_UNUSED:10.0.0.9:';

  function declared(): Run {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5'] }] });
    return run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]).write(CONF, [line('PRINTER', '10.0.0.9')]);
  }

  it('is not unused for 30 days', () => {
    const run = declared();
    const seenAt = run.estate.now - 29 * DAY;
    run.serve(HOST, neighbours('pve1', { address: '10.0.0.9', mac: MAC, seenAt })).settle();
    expect(run.open()).toEqual([]);
    run
      .wait(2 * DAY)
      .serve(HOST, neighbours('pve1'))
      .settle();
    expect(run.open()).toEqual([UNUSED]);
    run.serve(HOST, neighbours('pve1', { address: '10.0.0.9', mac: MAC, seenAt: run.estate.now }));
    expect(run.finding(UNUSED).state).toBe('RESOLVED');
  });

  it('is not told as unused, or as used, by an observer that is silent', () => {
    const run = declared().silence(HOST).settle();
    expect(run.open()).toEqual([]);
    run.serve(HOST, neighbours('pve1'));
    expect(run.open()).toEqual([UNUSED]);
    run.silence(HOST).wait(DAY).settle();
    expect(run.open()).toEqual([UNUSED]);
  });

  it('may be unused in a DHCP range, and is no guest’s undeclared address there', () => {
    const run = declared();
    run.serve('unifi:campus', unifi({ networks: [{ dhcp: ['10.0.0.1', '10.0.0.99'] }] }));
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5', '10.0.0.7'] }] });
    expect(run.settle().open()).toEqual([UNUSED]);
    run.retireService('unifi:campus');
    expect(run.open()).toEqual(['ADDRESS_NOT_DECLARED:10.0.0.7:', UNUSED]);
  });
});
