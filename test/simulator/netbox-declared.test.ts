import { describe, expect, it } from 'vitest';
import { declaredEstate, fixedAddresses } from '../../src/simulator/declared-rows.js';
import { declareNetbox } from '../../src/simulator/netbox-declared.js';
import type { NetboxModel } from '../../src/simulator/netbox-model.js';
import { plant } from '../../src/simulator/plant.js';
import { populate } from '../../src/simulator/populate.js';
import { NOW } from './asking.js';
import { declared } from './netbox-asking.js';

const SIZE = { seed: 20_260, nodes: 5, guests: 60, clusters: 1, version: '9.1', now: () => NOW } as const;

function plain(model: NetboxModel) {
  return model.vms.all().map(({ id, name, status, vmid, deviceId }) => ({
    vmid: vmid ?? Number.NaN,
    ...{ name, status },
    node: deviceId === null ? null : model.devices.get(deviceId).name,
    addresses: model.addressesOf(id).map(({ address }) => address.replace(/\/\d+$/, '')),
  }));
}

describe('a simulated NetBox without drift of its own', () => {
  it('says of every VM what the table says, planted drift included', () => {
    const estates = populate(SIZE);
    const told = declaredEstate(estates);
    const { touched } = plant(estates, told);
    const { model, planted } = declareNetbox({ estates, told, touched, now: () => NOW, plant: false });
    expect(planted).toEqual([]);
    const rows = new Map(told.rows.map((row) => [row.from, row]));
    const tied = plain(model).filter(({ vmid }) => !Number.isNaN(vmid));
    expect(tied.length).toBeGreaterThan(50);
    const differing = tied.filter(({ vmid, name, node }) => {
      // The first of two rows is the one that the guest was given; a second one is what conflicts.
      const row = told.rows.find(({ from }) => from === vmid) ?? rows.get(vmid);
      return row?.name !== name || row.node !== node;
    });
    expect(differing).toEqual([]);
  });

  it('gives running guests their fixed addresses, with the mask, on the device that has them', () => {
    const { estates, netbox, tables } = declared({}, { plant: false });
    const [estate] = estates;
    const drifting = new Set(tables.map(({ subject }) => subject.replace(/@1$/, '')));
    const wrong = plain(netbox.model).filter(({ vmid, addresses }) => {
      if (Number.isNaN(vmid) || estate?.has(vmid) !== true || drifting.has(`${estate.name}/${vmid}`)) return false;
      const guest = estate.guest(vmid);
      if (netbox.touched.has(`${estate.name}/${vmid}`)) return false;
      return !fixedAddresses(guest).every((one) => addresses.includes(one));
    });
    // The one whose address was taken for a duplicate, and the one that is planted as undeclared.
    expect(wrong.length).toBeLessThanOrEqual(2);
  });

  it('knows most guests by VMID, some by MAC, some by name alone, and no templates', () => {
    const { estates, netbox } = declared({ guests: 200 }, { plant: false });
    const { model } = netbox;
    const macsOf = (id: number) => model.interfacesOf(id).flatMap(({ macs }) => macs);
    const without = model.vms.all().filter(({ vmid }) => vmid === null);
    const byMac = without.filter(({ id }) => macsOf(id).length > 0);
    const byName = without.filter(({ id }) => macsOf(id).length === 0);
    expect(byMac.length).toBeGreaterThan(2);
    expect(byName.length).toBeGreaterThan(1);
    expect(without.length).toBeLessThan(model.vms.all().length / 5);
    const guests = estates.flatMap((estate) => estate.guests());
    const macs = guests.flatMap(({ nics }) => nics.map(({ mac }) => mac));
    for (const { id } of byMac) expect(macs).toContain(macsOf(id)[0]);
    for (const { name } of byName) expect(guests.filter((guest) => guest.name === name)).toHaveLength(1);
    expect(model.vms.all().filter(({ name }) => name.startsWith('tpl-'))).toEqual([]);
  });

  it('has an address of every kind', () => {
    const { model } = declared({}, { plant: false }).netbox;
    const kinds = model.addresses
      .all()
      .map(({ assigned, status, role }) => [assigned?.kind ?? 'nothing', status, role].join(' ').trim());
    expect(new Set(kinds)).toEqual(
      new Set([
        ...['virtualization.vminterface active', 'virtualization.vminterface dhcp', 'dcim.interface active'],
        ...['ipam.fhrpgroup active vrrp', 'nothing reserved', 'nothing active'],
      ]),
    );
  });

  it('puts the addresses of a bridge into a VRF where one is wanted', () => {
    const { model } = declared({}, { vrfs: [{ name: 'nat', bridge: 'vmbr1' }] }).netbox;
    const inVrf = model.addresses.all().filter(({ vrfId }) => vrfId !== null);
    expect(inVrf.length).toBeGreaterThan(0);
    expect(inVrf.map(({ address }) => address).filter((one) => !one.startsWith('10.150.'))).toEqual([]);
    expect(model.prefixes.all().filter(({ vrfId }) => vrfId !== null)).toMatchObject([{ prefix: '10.150.0.0/16' }]);
  });
});

describe('drift that is planted in a simulated NetBox', () => {
  it('is one of each kind, on guests that no other drift depends on', () => {
    const { netbox, tables } = declared();
    const { planted, touched } = netbox;
    expect(planted.map(({ kind, field }) => `${kind} ${field}`)).toEqual([
      'VLAN_DIFFERS net0',
      'RESOURCES_DIFFER memory',
      'DECLARATIONS_CONFLICT name',
    ]);
    const others = new Set(tables.map(({ subject }) => subject.replace(/@1$/, '')));
    const guests = planted.map(({ subject }) => subject.replace(/@1$/, ''));
    expect(guests.filter((guest) => others.has(guest) || !touched.has(guest))).toEqual([]);
    expect(new Set(guests).size).toBe(3);
  });

  it('is really there: NetBox says otherwise than the cluster', () => {
    const { estates, netbox } = declared();
    const [estate] = estates;
    const places = netbox.planted.map(({ subject }) => Number(/\/(\d+)/.exec(subject)?.[1]));
    const [vlan, memory, name] = places.map((vmid) => {
      const vm = netbox.model.vmOf(estate?.name ?? '', vmid);
      return { vm, guest: estate?.guest(vmid), interfaces: netbox.model.interfacesOf(vm.id) };
    });
    expect([vlan?.guest?.nics[0]?.tag, vlan?.interfaces[0]?.vlan]).toEqual([20, 40]);
    expect(memory?.vm.memoryMb).toBe((memory?.guest?.memoryMiB ?? 0) * 2);
    expect(name?.vm.name).toBe(`${name?.guest?.name}-dcim`);
  });

  it('is the same at every start', () => {
    const [one, other] = [declared().netbox, declared().netbox];
    expect([other.planted, plain(other.model)]).toEqual([one.planted, plain(one.model)]);
  });
});
