import { describe, expect, it } from 'vitest';
import type { VmDeclaration } from '../../../src/domain/declaration.js';
import { Secret, type TlsPin } from '../../../src/domain/settings.js';
import type { NetboxModel } from '../../../src/simulator/netbox-model.js';
import { NetboxFaults } from '../../../src/simulator/wire/netbox/faults.js';
import type { SimulatedNetbox } from '../../../src/simulator/wire/netbox/netbox.js';
import type { NetboxVersion } from '../../../src/simulator/wire/netbox/version.js';
import { CERTIFICATE, declared, netbox } from '../../simulator/netbox-asking.js';
import { collect, kept, observed, reason, source } from './fake-netbox.js';

const tls: TlsPin = { kind: 'ca', pem: CERTIFICATE.cert };
const reader = (server: SimulatedNetbox, token = server.token) => source(server, { tls, token: new Secret(token) });

/** What people wrote into the simulated NetBox of one VM, in the words of a declaration. */
function written(model: NetboxModel, isMegabytes: boolean): readonly object[] {
  return model.vms.all().map(({ id, name, vmid, clusterId, deviceId, vcpus, memoryMb, diskGb }) => {
    const disk =
      diskGb === null ? null : { amount: isMegabytes ? diskGb * 1000 : diskGb, unit: isMegabytes ? 'MB' : 'GB' };
    return {
      ...{ key: `vm/${id}`, name, vmid, disk, cpus: vcpus },
      memory: memoryMb === null ? null : { amount: memoryMb, unit: 'MB' },
      cluster: model.clusters.all().find((one) => one.id === clusterId)?.name ?? null,
      node: model.devices.all().find((one) => one.id === deviceId)?.name ?? null,
      interfaces: model.interfacesOf(id).map(({ name: called, vlan, macs }) => ({
        ...{ name: called, vlan },
        macs: macs.map((mac) => mac.toLowerCase()).sort(),
      })),
      addresses: model.addressesOf(id).map(({ address }) => address.split('/')[0]),
    };
  });
}

function read({ key, name, vmid, disk, cpus, memory, cluster, node, interfaces, addresses }: VmDeclaration): object {
  return {
    ...{ key, name, vmid, disk, cpus, memory, cluster, node },
    interfaces,
    addresses: addresses.map(({ address }) => address),
  };
}

describe('The simulated NetBox', () => {
  it.each<[version: NetboxVersion, isMegabytes: boolean]>([
    ['3.7', false],
    ['4.0', false],
    ['4.2', true],
    ['4.6', true],
  ])('of version %s is read as it was written', async (version, isMegabytes) => {
    const { model } = declared().netbox;
    const { rows } = await observed(collect(reader(await netbox({ version, model }))));
    const vms = rows.flatMap((row) => (row.kind === 'vm' ? [read(row)] : []));
    expect(vms.length).toBeGreaterThan(50);
    expect(vms).toEqual(written(model, isMegabytes));
    const count = (kind: string) => rows.filter((row) => row.kind === kind).length;
    expect([count('prefix'), count('device')]).toEqual([model.prefixes.all().length, model.devices.all().length]);
    const onVms = rows.reduce((sum, row) => sum + (row.kind === 'vm' ? row.addresses.length : 0), 0);
    expect(count('address') + onVms).toBe(model.addresses.all().length);
  });

  it('is read the same in small pages, whatever its `next` says and although rows go while it is read', async () => {
    const { model } = declared().netbox;
    const faults = new NetboxFaults();
    const server = await netbox({ model, faults });
    const whole = await observed(collect(reader(server)));
    faults.set({ nextElsewhere: true, countChanges: true });
    const token = new Secret(server.token);
    const paged = await observed(collect(source(server, { tls, token }, { pageSize: 10 })));
    expect(paged).toEqual(whole);
  });

  it('takes a token of version 2, and shows one guest alone after an edit', async () => {
    const { model } = declared().netbox;
    const server = await netbox({ version: '4.6', model });
    const of = reader(server, server.tokenV2);
    const known = kept(await observed(collect(of)));
    const vm = model.vms.all().find(({ vmid }) => vmid !== null);
    if (vm === undefined) throw new Error('no VM of the simulated NetBox says its VMID');
    model.renameVm(vm.id, 'renamed');
    const guest = { guest: `c/${vm.vmid}`, cluster: 'c', vmid: vm.vmid ?? 0, name: null, macs: [], known: [] };
    const { rows, only } = await observed(collect(of, { known, asked: [guest] }));
    expect([rows, only]).toEqual([
      [expect.objectContaining({ key: `vm/${vm.id}`, name: 'renamed' })],
      { guests: [guest.guest], gone: [] },
    ]);
  });

  it('whose token loses sight of rows, or is revoked, is unreachable and not smaller', async () => {
    const faults = new NetboxFaults();
    const server = await netbox({ faults });
    const of = reader(server);
    const known = kept(await observed(collect(of)));
    faults.set({ lostPercent: 40 });
    expect(await reason(collect(of, { known }))).toMatch(/^unreachable: NetBox dcim lost \d+ of \d+ rows at once/);
    faults.set({ lostPercent: 0, tokenRevoked: true });
    expect(await reason(collect(of, { known }))).toMatch(/403 Invalid .*it does not know this token/);
    faults.set({ tokenRevoked: false, nextElsewhere: true });
    expect(await reason(collect(of, { known }))).toBe('observed');
  });
});
