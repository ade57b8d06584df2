import { describe, expect, it } from 'vitest';
import type { Estate } from '../../src/simulator/estate.js';
import { populate } from '../../src/simulator/populate.js';
import { ask, NOW, type Row, rows, simulate } from './asking.js';

const SIZE = { seed: 5, nodes: 3, guests: 40, clusters: 1, version: '9.1' as const, now: () => NOW };

function anEstate(more: Partial<typeof SIZE> = {}): Estate {
  const [estate] = populate({ ...SIZE, ...more });
  if (estate === undefined) throw new Error('no cluster was made');
  return estate;
}

describe('a seeded estate', () => {
  it('is the same at every start, down to uuids, MACs and starts, whatever the clock says', () => {
    expect(anEstate({ now: () => NOW + 86_400_000 }).guests()).toEqual(anEstate().guests());
  });

  it('is another one for another seed', () => {
    expect(anEstate({ seed: 6 }).guests()).not.toEqual(anEstate().guests());
  });

  it('keeps a guest as it is when a larger estate has more of its kind', () => {
    const macs = (estate: Estate) =>
      estate
        .guests()
        .find(({ vmid }) => vmid === 100)
        ?.nics.map(({ mac }) => mac);
    expect(macs(anEstate({ guests: 400 }))).toEqual(macs(anEstate()));
  });

  it('gives no MAC, uuid or address to two guests, in 25 clusters of 15,000', () => {
    const guests = populate({ ...SIZE, nodes: 500, guests: 15_000, clusters: 25 }).flatMap((one) => one.guests());
    const nics = guests.flatMap((guest) => guest.nics);
    const addresses = nics.flatMap(({ v4, v6 }) => [v4, v6].flatMap((one) => one?.address ?? []));
    expect(guests).toHaveLength(15_000);
    expect(new Set(nics.map(({ mac }) => mac)).size).toBe(nics.length);
    expect(new Set(guests.map(({ uuid }) => uuid)).size).toBe(guests.length);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(nics.every(({ mac }) => mac.startsWith('BC:24:11:'))).toBe(true);
  });

  it('may be empty, and may be one guest', async () => {
    expect(anEstate({ guests: 0 }).guests()).toEqual([]);
    const simulator = await simulate({ nodes: 1, guests: 1 });
    expect(await rows(simulator, '/cluster/resources?type=vm')).toHaveLength(1);
  });

  it('is several clusters of at most 20 nodes where it has more than 32', async () => {
    const simulator = await simulate({ nodes: 45, guests: 90 });
    expect(simulator.clusters.map(({ name }) => name)).toEqual(['sim-01', 'sim-02', 'sim-03']);
    expect(simulator.estate('sim-02').nodes()).toHaveLength(15);
  });
});

describe('what is done to a guest', () => {
  const told = (estate: Estate) => estate.chronicle.tasks().map(({ type, id }) => `${type} ${id}`);
  const logged = (estate: Estate) =>
    estate.chronicle.lines().flatMap(({ msg }) => (msg.startsWith('update') ? msg : []));
  const first = (estate: Estate, kind: 'qemu' | 'lxc') => {
    const found = estate.guests().find((guest) => guest.kind === kind && guest.power === 'running');
    if (found === undefined) throw new Error(`no running ${kind}`);
    return found;
  };

  it('leaves the tasks that Proxmox would', () => {
    const estate = anEstate();
    const { vmid } = first(estate, 'qemu');
    estate.stop(vmid);
    estate.start(vmid);
    estate.migrate(vmid, 'pve03');
    estate.clone(vmid, 6000, 'copy');
    estate.destroy(6000);
    expect(told(estate)).toEqual([
      ...[`qmstop ${vmid}`, `qmstart ${vmid}`, `qmmigrate ${vmid}`, `qmclone ${vmid}`],
      ...['qmcreate 6000', 'qmdestroy 6000'],
    ]);
    expect(estate.guest(vmid).node).toBe('pve03');
  });

  it('logs the edits of machines and not those of containers', () => {
    const estate = anEstate();
    const [machine, container] = [first(estate, 'qemu'), first(estate, 'lxc')];
    estate.rename(machine.vmid, 'other');
    estate.rename(container.vmid, 'another');
    expect(logged(estate)).toEqual([`update VM ${machine.vmid}: -name other`]);
  });

  it('gives a clone its own uuid and MACs, and another guest under the same VMID too', () => {
    const estate = anEstate();
    const before = first(estate, 'qemu');
    const copy = estate.clone(before.vmid, 6000, 'copy');
    const after = estate.recreate(before.vmid);
    expect(new Set([before.uuid, copy.uuid, after.uuid]).size).toBe(3);
    expect(new Set([before, copy, after].map(({ nics }) => nics[0]?.mac)).size).toBe(3);
    expect(after).toMatchObject({ vmid: before.vmid, name: before.name });
  });

  it('locks everybody in a backup night, and lets stopped machines look as if they ran', async () => {
    const simulator = await simulate();
    const estate = simulator.estate('sim-main');
    const stopped = estate
      .guests()
      .find(({ kind, power, template }) => kind === 'qemu' && power === 'stopped' && !template);
    const row = async () => (await rows(simulator, '/cluster/resources')).find(({ vmid }) => vmid === stopped?.vmid);
    estate.backupNight();
    expect(await row()).toMatchObject({ status: 'running', lock: 'backup' });
    estate.backupMorning();
    expect(await row()).toMatchObject({ status: 'stopped' });
  });

  it('shows a new address where it belongs: in the config, or only to the agent', async () => {
    const simulator = await simulate();
    const estate = simulator.estate('sim-main');
    const inside = estate
      .guests()
      .find(({ agent, power, nics }) => agent === 'alive' && power === 'running' && nics[0]?.v4?.by === 'inside');
    estate.setAddress(inside?.vmid ?? 0, 'net0', '10.100.250.9/16');
    const base = `/nodes/${inside?.node}/qemu/${inside?.vmid}`;
    expect((await ask(simulator, `${base}/agent/network-get-interfaces`)).body).toContain('10.100.250.9');
    expect((await ask(simulator, `${base}/config`)).body).not.toContain('10.100.250.9');
  });

  it('tells the newest tasks and lines first, the lines as many as were asked for', async () => {
    const simulator = await simulate();
    const estate = simulator.estate('sim-main');
    const { vmid, node } = first(estate, 'qemu');
    estate.stop(vmid);
    estate.start(vmid);
    const tasks = await rows(simulator, '/cluster/tasks');
    expect(tasks.map(({ type, id, node: on }) => [type, id, on])).toEqual([
      ['qmstart', String(vmid), node],
      ['qmstop', String(vmid), node],
    ]);
    expect(String(tasks[0]?.upid)).toMatch(/^UPID:pve\d\d:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:qmstart:\d+:root@pam:$/);
    const log: readonly Row[] = await rows(simulator, '/cluster/log?max=1');
    expect(log.map(({ msg }) => msg)).toEqual([expect.stringMatching(/^end task UPID:.* OK$/)]);
  });

  it('proves a VMID free once its guest is gone', async () => {
    const simulator = await simulate();
    simulator.estate('sim-main').destroy(100);
    expect(await ask(simulator, '/cluster/nextid?vmid=100')).toMatchObject({ status: 200, data: '100' });
  });
});
