import { describe, expect, it } from 'vitest';
import { bindDeclarations } from '../../src/domain/compare/binding.js';
import { type JoinedPort, joinedPortMap } from '../../src/domain/port-map.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { Run, type RunWish } from '../testkit/domain-run.js';
import { aPart, hardware, neighbours, npm, unifi } from '../testkit/domain-services.js';
import { mac } from '../testkit/view.js';

const SWITCH = '74:ac:b9:00:00:01';
const WEB = 'bc:24:11:00:00:64';
const NIC = '3c:ec:ef:00:00:01';

/** Guest 100, `web`, at 10.0.0.5 on node pve1. */
function estate(wish: RunWish = {}): Run {
  const run = new Run(wish);
  run.estate.guest({ vmid: 100, name: 'web', devices: [{ mac: WEB, shows: ['10.0.0.5'] }] });
  run.estate.node('pve1', { ip: '192.168.1.10' });
  return run.settle();
}

const proxied = (run: Run, target: string, more: object = {}) =>
  run.serve('npm:edge', npm({ hosts: [{ id: 5, target, domainNames: ['web.example.org'], ...more }] }));

const plugged = (run: Run, client: string, port = 7) => {
  const clients = [{ mac: client, address: null, seenAt: run.estate.now, port: [SWITCH, port] as const }];
  return run.serve('unifi:campus', unifi({ clients, devices: [{ kind: 'switch', mac: SWITCH, name: 'rack 1' }] }));
};

const rows = (run: Run): readonly JoinedPort[] => joinedPortMap(run.view, bindDeclarations(run.view));

/** A row in one line: public name → proxy → lan → switch. */
function lines(run: Run): readonly string[] {
  return rows(run).map(({ publicHostname, proxy, lan, switch: at }) => {
    const target = `${proxy.id}${proxy.path ?? ''} ${proxy.forwardHost}:${proxy.forwardPort}`;
    const to = `${lan.address} ${lan.guest} ${lan.node} ${lan.confidence}`;
    return `${publicHostname} → ${target} → ${to} → ${at.port} ${at.confidence}`;
  });
}

describe('the joined port map', () => {
  it('leads from a public name over its proxy to the guest, its node and the port where its MAC was seen', () => {
    const run = plugged(proxied(estate(), '10.0.0.5:8080'), WEB);
    expect(rows(run)).toEqual([
      {
        publicHostname: 'web.example.org',
        proxy: {
          ...{ id: 'edge/5', source: 'npm:edge', path: null, forwardHost: '10.0.0.5', forwardPort: 8080 },
          collectedAt: run.estate.now,
        },
        lan: { address: '10.0.0.5', guest: 'main/100@1', node: 'main/pve1', confidence: 'observed' },
        switch: {
          ...{ source: 'unifi:campus', device: mac(SWITCH), name: 'rack 1', port: 7 },
          ...{ seenAt: run.estate.now, confidence: 'observed' },
        },
      },
    ]);
  });

  it('takes the port of the node’s network card where the guest was not seen, by its parts, its neighbours or LLDP', () => {
    const expected = ['web.example.org → edge/5 10.0.0.5:80 → 10.0.0.5 main/100@1 main/pve1 observed → 7 observed'];
    const parts = proxied(estate(), '10.0.0.5:80');
    parts.serve('hardware:main/pve1', hardware({ pve1: { parts: [aPart('network', 'eno1', { detail: NIC })] } }));
    expect(lines(plugged(parts, NIC))).toEqual(expected);
    const heard = proxied(estate(), '10.0.0.5:80');
    const node = { address: '192.168.1.10', mac: NIC, seenAt: heard.estate.now };
    heard.serve('ip_neigh:main/pve2', neighbours('pve2', node));
    expect(lines(plugged(heard, NIC))).toEqual(expected);
    const lldp = proxied(estate(), '10.0.0.5:80');
    const ports = [
      { index: 6, lldpName: 'pve2' },
      { index: 7, lldpName: 'PVE1.example.org' },
    ];
    lldp.serve('unifi:campus', unifi({ devices: [{ kind: 'switch', mac: SWITCH, ports }] }));
    expect(lines(lldp)).toEqual(expected);
  });

  it('is declared where only a row or a name says which guest, and as unsure from there on', () => {
    const run = estate();
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.6'] })]);
    const port = '→ 7 declared';
    expect(lines(plugged(proxied(run, '10.0.0.6:80'), WEB))).toEqual([
      `web.example.org → edge/5 10.0.0.6:80 → 10.0.0.6 main/100@1 main/pve1 declared ${port}`,
    ]);
    expect(lines(plugged(proxied(run, 'Web.lan:80'), WEB))).toEqual([
      `web.example.org → edge/5 Web.lan:80 → 10.0.0.5 main/100@1 main/pve1 declared ${port}`,
    ]);
    expect(lines(proxied(run, 'pve1:8006'))).toEqual([
      'web.example.org → edge/5 pve1:8006 → 192.168.1.10 null main/pve1 declared → null missing',
    ]);
  });

  it('says what is missing: nobody at the address, two guests of one name, no switch', () => {
    const run = estate();
    expect(lines(proxied(run, '10.0.0.77:80'))).toEqual([
      'web.example.org → edge/5 10.0.0.77:80 → 10.0.0.77 null null missing → null missing',
    ]);
    run.estate.guest({ vmid: 101, name: 'web' });
    expect(lines(proxied(run.full(), 'web:80'))).toEqual([
      'web.example.org → edge/5 web:80 → null null null missing → null missing',
    ]);
    expect(lines(proxied(run, '192.168.1.10:8006'))).toEqual([
      'web.example.org → edge/5 192.168.1.10:8006 → 192.168.1.10 null main/pve1 observed → null missing',
    ]);
  });

  it('has a row for each name and each location, and none for what is off or collected no more', () => {
    const more = { domainNames: ['b.example.org', 'a.example.org'], locations: { '/api': '10.0.0.5:81' } };
    const run = proxied(estate(), '10.0.0.5:80', more);
    expect(rows(run).map(({ publicHostname, proxy }) => [publicHostname, proxy.path, proxy.forwardPort])).toEqual([
      ['a.example.org', null, 80],
      ['a.example.org', '/api', 81],
      ['b.example.org', null, 80],
      ['b.example.org', '/api', 81],
    ]);
    expect(lines(proxied(estate(), '10.0.0.5:80', { enabled: false }))).toEqual([]);
    expect(lines(run.silence('npm:edge'))).toHaveLength(4);
    expect(lines(run.retireService('npm:edge'))).toEqual([]);
  });

  it('takes a guest that runs before one that is stopped, and the common scope before others', () => {
    const rule = { node: null, bridge: 'vmbr1', tag: null, perNode: true, scope: 'nat' };
    const run = estate({ settings: { main: { addressScopes: [rule] } } });
    run.estate.guest({ vmid: 99, name: 'nat', devices: [{ bridge: 'vmbr1', shows: ['10.0.0.5'] }] });
    run.full();
    expect(rows(proxied(run, '10.0.0.5:80')).map(({ lan }) => lan.guest)).toEqual(['main/100@1']);
    run.estate.guest({ vmid: 98, name: 'old', devices: [{ ip4: '10.0.0.5/24' }], power: 'STOPPED' });
    run.full();
    expect(rows(proxied(run, '10.0.0.5:80')).map(({ lan }) => lan.guest)).toEqual(['main/100@1']);
  });
});
