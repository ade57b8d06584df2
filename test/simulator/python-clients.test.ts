import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { type Guest, isListedRunning } from '../../src/simulator/guest.js';
import type { NetboxVersion } from '../../src/simulator/wire/netbox/version.js';
import { folder, simulate } from './asking.js';
import { CERTIFICATE, declared, netbox } from './netbox-asking.js';
import { describePython } from './python.js';

/** A file with the certificate that the server at this URL shows. */
async function certificateOf(url: string): Promise<string> {
  const { hostname: host, port } = new URL(url);
  const raw = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().raw);
      socket.destroy();
    });
    socket.on('error', reject);
  });
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return trusted(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
}

async function trusted(certificate: string): Promise<string> {
  const file = join(await folder(), 'trusted.pem');
  await writeFile(file, certificate);
  return file;
}

interface ReadGuest {
  readonly inside: { readonly addresses?: readonly string[]; readonly refused?: readonly [number, string] };
}

describePython('proxmoxer, reading the simulated Proxmox', 'proxmoxer', (script) => {
  it.each(['7.4', '8.4', '9.1'] as const)('of %s, finds every node and guest, and what agents say', async (version) => {
    const simulator = await simulate({ version, nodes: 3, guests: 30 });
    const [cluster] = simulator.clusters;
    const { name = '', url = '', tokenId = '', tokenSecret = '' } = cluster ?? {};
    const estate = simulator.estate(name);
    const { hostname, port } = new URL(url);
    const trust = await certificateOf(url);
    const read = await script('read_proxmox.py', hostname, port, tokenId, tokenSecret, trust);
    const nodes = estate.nodes().map((node) => node.name);
    expect(read).toMatchObject({
      ...{ version: expect.stringMatching(new RegExp(`^${version}`)), nodes, online: nodes },
      resources: estate
        .guests()
        .map(({ vmid }) => vmid)
        .sort((a, b) => a - b),
      ...{ quorate: [1], bridges: expect.arrayContaining(['vmbr0']), withWrongToken: 401 },
      disks: Object.fromEntries(nodes.map((node) => [node, expect.any(Number)])),
      devices: Object.fromEntries(nodes.map((node) => [node, expect.any(Number)])),
      may: expect.arrayContaining(['Sys.Audit', 'VM.Audit']),
    });
    const { guests } = read as { guests: Record<string, ReadGuest> };
    expect(guests).toEqual(
      Object.fromEntries(
        estate.guests().map((guest) => [
          guest.vmid,
          expect.objectContaining({
            ...{ kind: guest.kind, node: guest.node, name: guest.name },
            status: isListedRunning(guest) ? 'running' : 'stopped',
          }),
        ]),
      ),
    );
    for (const guest of estate.guests()) expectInside(guest, guests[guest.vmid], version);
  });
});

/** An agent tells the addresses of its guest; one that is silent, or none, is refused in words. */
function expectInside(guest: Guest, read: ReadGuest | undefined, version: string): void {
  const isSilent =
    guest.kind === 'qemu' && (guest.power !== 'running' || guest.agent === 'none' || guest.agent === 'dead');
  if (isSilent) expect(read?.inside.refused).toEqual([500, expect.stringMatching(/agent|not running/)]);
  else if (guest.kind === 'lxc' && version === '7.4') expect(read?.inside.refused?.[0]).toBe(501);
  else if (guest.kind === 'lxc' && guest.power === 'stopped') expect(read?.inside.addresses).toEqual([]);
  else if (guest.kind === 'lxc' || guest.agent === 'alive') {
    const told = (address: string) => (guest.kind === 'lxc' ? expect.stringMatching(`^${address}/`) : address);
    const wanted = guest.nics.flatMap(({ v4, linkDown }) => (v4 === null || linkDown ? [] : [told(v4.address)]));
    expect(read?.inside.addresses).toEqual(expect.arrayContaining(wanted));
  }
}

describePython('pynetbox, reading the simulated NetBox', 'pynetbox', (script) => {
  it.each(['3.7', '4.0', '4.2', '4.6'] as const)('of %s, finds all that is in it', async (version: NetboxVersion) => {
    const { model } = declared({}, { vrfs: [{ name: 'nat', bridge: 'vmbr1' }] }).netbox;
    const server = await netbox({ version, model });
    const read = await script('read_netbox.py', server.url, server.token, await trusted(CERTIFICATE.cert));
    const vms = model.vms.all();
    const { first } = read as { first: { id: number } };
    const own = model.interfacesOf(first.id);
    const primary = model.addressesOf(first.id).find(({ address }) => !address.includes(':'));
    const device = model.devices.get(model.vms.get(first.id).deviceId ?? 0);
    expect(read).toEqual({
      version: expect.stringMatching(new RegExp(`^${version}`)),
      vms: Object.fromEntries(
        vms.map((vm) => [vm.id, [vm.name, expect.any(String), expect.any(String), 'sim-main', vm.vmid]]),
      ),
      ...{ threaded: vms.map(({ id }) => id), count: vms.length, ofCluster: vms.length, noSuch: null },
      ...{ byId: model.vms.get(first.id).name, byName: true, byVmid: true, byMac: true },
      first: {
        ...{ id: first.id, primary: primary?.address, serial: device.serial },
        interfaces: own.map(({ name, macs, vlan }) => [name, macs[0], vlan]),
      },
      addresses: Object.fromEntries(
        model.addresses
          .all()
          .map(({ id, address, status, assigned }) => [
            id,
            [address, status, address.includes(':') ? 6 : 4, assigned?.kind ?? null],
          ]),
      ),
      bearers: vms
        .filter(({ id }) => model.addressesOf(id).length > 0)
        .map(({ name }) => name)
        .sort(),
      prefixes: model.prefixes
        .all()
        .map(({ prefix }) => prefix)
        .sort(),
      ...{ vrfs: ['nat'], vlans: [20, 30, 40] },
      devices: model.devices.all().map(({ name }) => name),
      device: [device.name, 'Hypervisor', expect.stringMatching(/^10\.100\.0\.\d+\/16$/), device.serial],
      withWrongToken: [403, version === '4.6' ? 'Invalid v1 token' : 'Invalid token'],
    });
  });
});
