import { describe, expect, it } from 'vitest';
import { agentInterfaces, containerInterfaces } from '../../../src/sources/proxmox/parse/interfaces.js';
import { bodyData, describeRecordings, exchanges } from '../recordings.js';

const at = (address: string, prefixLength: number | null) => ({ address, prefixLength });

describe("what a guest's agent says", () => {
  it('leaves out the loopback, keeps bridges with their MACs, and strips zones', () => {
    const result = [
      { name: 'lo', 'ip-addresses': [{ 'ip-address': '127.0.0.1', prefix: 8 }] },
      { name: 'Loopback Pseudo-Interface 1', 'ip-addresses': [{ 'ip-address': '::1', prefix: 128 }] },
      {
        name: 'eth0',
        'hardware-address': 'BC:24:11:AA:BB:CC',
        'ip-addresses': [
          { 'ip-address': 'fe80::1%eth0', 'ip-address-type': 'ipv6', prefix: 64 },
          { 'ip-address': '10.0.0.9', 'ip-address-type': 'ipv4', prefix: 24 },
          { 'ip-address': '10.0.0.10', 'ip-address-type': 'ipv4', prefix: 24 },
          { 'ip-address': '127.0.0.53', 'ip-address-type': 'ipv4', prefix: 8 },
        ],
      },
      {
        name: 'docker0',
        'hardware-address': '02:42:00:00:00:01',
        'ip-addresses': [{ 'ip-address': '172.17.0.1', prefix: 16 }],
      },
      { name: 'eth1', 'hardware-address': 'bc:24:11:aa:bb:cd' },
    ];
    expect(agentInterfaces({ result })).toEqual({
      kind: 'read',
      value: {
        by: 'AGENT',
        interfaces: [
          { name: 'docker0', mac: '02:42:00:00:00:01', addresses: [at('172.17.0.1', 16)] },
          {
            name: 'eth0',
            mac: 'bc:24:11:aa:bb:cc',
            addresses: [at('10.0.0.9', 24), at('10.0.0.10', 24), at('fe80::1', 64)],
          },
          { name: 'eth1', mac: 'bc:24:11:aa:bb:cd', addresses: [] },
        ],
      },
    });
  });

  it('may be an error within a good answer', () => {
    const error = { class: 'CommandNotFound', desc: 'The command has not been found' };
    expect(agentInterfaces({ result: { error } })).toEqual({
      kind: 'failed',
      reason: 'the guest agent answers with an error: CommandNotFound: The command has not been found',
    });
    expect(agentInterfaces({}).kind).toBe('failed');
  });
});

describe("what a container's interfaces say", () => {
  it('takes the whole list where there is one, and inet and inet6 elsewhere', () => {
    const old = { name: 'eth0', hwaddr: 'bc:24:11:00:00:01', inet: '10.0.0.2/24', inet6: 'fe80::1/64' };
    const list = [
      { 'ip-address': '10.0.0.2', 'ip-address-type': 'inet', prefix: 24 },
      { 'ip-address': '10.0.0.3', 'ip-address-type': 'inet', prefix: '24' },
      { 'ip-address': '2001:DB8::1', 'ip-address-type': 'inet6', prefix: 64 },
    ];
    const young = { ...old, 'hardware-address': 'bc:24:11:00:00:01', 'ip-addresses': list };
    const read = (content: unknown) => {
      const parsed = containerInterfaces(content);
      return parsed.kind === 'read' ? parsed.value.interfaces.map(({ addresses }) => addresses) : parsed;
    };
    expect(read([old])).toEqual([[at('10.0.0.2', 24), at('fe80::1', 64)]]);
    expect(read([young])).toEqual([[at('10.0.0.2', 24), at('10.0.0.3', 24), at('2001:db8::1', 64)]]);
  });

  it('are none while it is stopped', () => {
    expect(containerInterfaces(null)).toEqual({ kind: 'stopped' });
    expect(containerInterfaces('x').kind).toBe('failed');
  });
});

describeRecordings('recorded interfaces', () => {
  it.each(['go-proxmox/pve7x-nodes.json', 'go-proxmox/pve8x-containers.json', 'go-proxmox/pve9x-containers.json'])(
    'reads the container of %s',
    (file) => {
      const addresses = [at('192.168.3.95', 22), at('fe80::be24:11ff:fe89:6707', 64)];
      expect(containerInterfaces(bodyData(exchanges(file, '/lxc/101/interfaces')[0]))).toEqual({
        kind: 'read',
        value: { by: 'INTERFACES', interfaces: [{ name: 'eth0', mac: 'bc:24:11:89:67:07', addresses }] },
      });
    },
  );

  it('reads the agent of PVE 9', () => {
    const answer = bodyData(exchanges('go-proxmox/pve9x-virtual_machines.json', 'network-get-interfaces')[0]);
    expect(agentInterfaces(answer)).toEqual({
      kind: 'read',
      value: {
        by: 'AGENT',
        interfaces: [{ name: 'eth0', mac: 'bc:24:11:2e:c5:4a', addresses: [at('10.0.0.10', 24)] }],
      },
    });
  });
});
