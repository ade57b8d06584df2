import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runSimulator } from '../../src/simulator/simulator.js';
import { folder, NOW, simulate } from './asking.js';

describe('an estate that lives', () => {
  it('lives the same life for the same seed', async () => {
    const [one, other] = [await simulate(), await simulate()];
    one.tick(300);
    for (let n = 0; n < 300; n++) other.tick();
    expect(other.estate('sim-main').guests()).toEqual(one.estate('sim-main').guests());
    expect(other.estate('sim-main').chronicle.lines()).toEqual(one.estate('sim-main').chronicle.lines());
  });

  it('moves, stops, renames, backs up and tries things out, and undoes it', async () => {
    const simulator = await simulate();
    simulator.tick(2_000);
    const types = simulator
      .estate('sim-main')
      .chronicle.tasks()
      .map(({ type }) => type.slice(2));
    expect(new Set(types)).toEqual(
      new Set(['migrate', 'stop', 'start', 'dump', 'pause', 'resume', 'reboot', 'create', 'destroy']),
    );
  });

  it('leaves alone what planted drift depends on', async () => {
    const simulator = await simulate();
    const estate = simulator.estate('sim-main');
    const planted = new Set(
      simulator.plantedDrift.flatMap(({ subject }) => Number(/^sim-main\/(\d+)/.exec(subject)?.[1] ?? 0)),
    );
    const of = () => estate.guests().filter(({ vmid }) => planted.has(vmid));
    const before = of();
    simulator.tick(1_000);
    expect(of()).toEqual(before);
  });

  it('never lets two guests have one address but where it is planted', async () => {
    const simulator = await simulate();
    const estate = simulator.estate('sim-main');
    const shared = () => {
      const all = estate.guests().flatMap(({ nics }) => nics.flatMap(({ v4 }) => v4?.address ?? []));
      return all.filter((address, at) => all.indexOf(address) !== at);
    };
    const planted = shared();
    for (let n = 0; n < 100; n++) {
      simulator.tick(10);
      expect(shared()).toEqual(planted);
    }
  });

  it('survives that somebody else takes a guest away', async () => {
    const simulator = await simulate({ guests: 20 });
    simulator.tick(60);
    for (const { vmid } of simulator.estate('sim-main').guests()) simulator.estate('sim-main').destroy(vmid);
    expect(() => simulator.tick(200)).not.toThrow();
  });
});

describe('a simulated estate alone', () => {
  it('prints what points a gateway at it, keeps its secret out of that, and is the same after a restart', async () => {
    const dataDir = await folder();
    const runOnce = async () => {
      const told = new AbortController();
      const printed: string[] = [];
      await runSimulator({ nodes: 2, guests: 6, dataDir, now: () => NOW }, told.signal, (text) => {
        printed.push(text);
        told.abort();
      });
      return printed.join('\n');
    };
    await mkdir(dataDir, { recursive: true });
    const yaml = (text: string) =>
      text
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .join('\n');
    const [first, second] = [await runOnce(), await runOnce()];
    expect(yaml(first)).toMatch(/^clusters:\n {2}- name: lab-main\n {4}api:\n {6}urls: \[https:\/\/127\.0\.0\.1:\d+\]/);
    expect(yaml(second)).toBe(yaml(first));
    const secretFile = join(dataDir, 'simulator', 'token-secret');
    expect(first).not.toContain(await readFile(secretFile, 'utf8'));
    expect((await stat(secretFile)).mode & 0o777).toBe(0o600);
  });
});
