import { describe, expect, it } from 'vitest';
import { ask, type Row, rows, simulate } from './asking.js';

const GIB = 1024 ** 3;

describe('the machines that nodes run on', () => {
  it('are the same for the same seed, and each has parts of its own', async () => {
    const [one, other] = [await simulate(), await simulate()];
    const of = (simulator: typeof one) => {
      const estate = simulator.estate('sim-main');
      return estate.nodes().map(({ name }) => estate.machines.of(name));
    };
    expect(of(one)).toEqual(of(other));
    const serials = of(one).flatMap(({ serial, disks, memory, ports }) => [
      serial,
      ...disks.map((disk) => disk.serial),
      ...memory.flatMap(({ module }) => module?.serial ?? []),
      ...ports.map(({ mac }) => mac),
    ]);
    expect(new Set(serials).size).toBe(serials.length);
  });

  it('have the processors and the memory that the node is listed with', async () => {
    const simulator = await simulate();
    const [node] = simulator.estate('sim-main').nodes();
    const { data } = await ask(simulator, `/nodes/${node?.name}/status`);
    expect(data).toMatchObject({ cpuinfo: { cpus: node?.cores }, memory: { total: node?.memoryBytes } });
    simulator.estate('sim-main').machines.pullMemory('pve01');
    const after = (await ask(simulator, '/nodes/pve01/status')).data as { memory: { total: number } };
    expect(after.memory.total).toBe(((node?.memoryBytes ?? 0) / 8) * 7);
    expect(after.memory.total % GIB).toBe(0);
  });

  it('a swapped disk has another serial and all else as before; a failing one is told by SMART alone', async () => {
    const simulator = await simulate();
    const { machines } = simulator.estate('sim-main');
    const first = async (query = '') => (await rows(simulator, `/nodes/pve01/disks/list${query}`))[0] as Row;
    const before = await first();
    machines.swapDisk('pve01');
    const swapped = await first();
    expect([before.devpath, before.model, before.size]).toEqual([swapped.devpath, swapped.model, swapped.size]);
    expect(swapped.serial).not.toBe(before.serial);
    machines.failDisk('pve01', 'sda');
    expect((await first()).health).toBe('FAILED');
    expect((await first('?skipsmart=1')).health).toBe('UNKNOWN');
  });

  it('hide bridges until they are asked for', async () => {
    const simulator = await simulate();
    const classes = async (query: string) =>
      (await rows(simulator, `/nodes/pve01/hardware/pci${query}`)).map((row) => String(row.class).slice(0, 4));
    expect(await classes('')).not.toContain('0x06');
    expect(await classes('?pci-class-blacklist=')).toContain('0x06');
  });

  it('tell of pending updates only whom may change the node', async () => {
    const simulator = await simulate();
    expect(await ask(simulator, '/nodes/pve01/apt/update')).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/nodes/pve01, Sys.Modify)',
    });
    simulator.faults('sim-main').set({ privilegesMore: ['Sys.Modify'] });
    expect((await rows(simulator, '/nodes/pve01/apt/update')).map((row) => row.Package)).toContain('libssl3t64');
  });
});
