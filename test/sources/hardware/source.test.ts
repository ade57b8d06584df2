import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/observation.js';
import type { HardwareReport, ServiceObservation } from '../../../src/domain/record.js';
import { type HardwareApiSource, hardwareApiSource } from '../../../src/sources/hardware/source.js';
import { T0 } from '../proxmox/known.js';
import { data, refuse, type ScriptedPve, scriptedPve, silence } from '../proxmox/scripted-pve.js';
import { settings } from '../proxmox/source-rig.js';
import { deadPort, NOBODY } from '../scripted-server.js';
import { partLines } from './part-lines.js';

const disk = (serial: string, more: object = {}) => ({
  devpath: '/dev/sda',
  model: 'SSD',
  vendor: 'ATA',
  serial,
  size: 100,
  type: 'ssd',
  health: 'PASSED',
  wearout: 97,
  ...more,
});
const STATUS = { cpuinfo: { model: 'Xeon', sockets: 1, cores: 4, cpus: 8 }, uptime: 100 };
const PCI = [
  {
    id: '0000:01:00.0',
    class: '0x030000',
    vendor: '0x10de',
    device: '0x2204',
    vendor_name: 'NVIDIA',
    device_name: 'GA102',
  },
];
const UPDATES = [{ Package: 'pve-manager', OldVersion: '9.1.6', Version: '9.1.7', Origin: 'Proxmox' }];
const ALL = ['hardware', 'hardware.health', 'hardware.updates'];

describe('the hardware of a cluster over its API', () => {
  let pve: ScriptedPve;
  const open: HardwareApiSource[] = [];
  beforeEach(async () => {
    pve = await scriptedPve([]);
    members('pve1', 'pve2');
    for (const node of ['pve1', 'pve2']) {
      pve.paths.set(`/nodes/${node}/status`, data(STATUS));
      pve.paths.set(`/nodes/${node}/hardware/pci`, data(PCI));
      pve.paths.set(`/nodes/${node}/disks/list`, data([disk(`S-${node}`)]));
      pve.paths.set(`/nodes/${node}/apt/update`, data(UPDATES));
    }
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
    await pve.close();
  });
  const members = (...names: readonly string[]) =>
    pve.paths.set(
      '/nodes',
      data(names.map((name) => ({ node: name.replace('!', ''), status: name.endsWith('!') ? 'offline' : 'online' }))),
    );
  const source = (skip: readonly string[] = [], urls = [pve.url]) => {
    const made = hardwareApiSource(settings(urls), { now: () => T0, skip: () => skip, limits: { backOffMs: 2 } });
    open.push(made);
    return made;
  };
  const collect = (of = source(), signal = new AbortController().signal) => of.collect({ progress: () => {} }, signal);
  const observed = (outcome: Outcome<ServiceObservation>) => {
    if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
    const { records, complete, nodes, notes } = outcome.value;
    return { records: records.map(({ kind, key }) => `${kind} ${key}`), complete, nodes, notes };
  };
  const reason = async (of = source()) => {
    const outcome = await collect(of);
    return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
  };

  it('is read node by node', async () => {
    const outcome = await collect();
    const of = (node: string) => ALL.map((kind) => `${kind} ${node}`);
    expect(observed(outcome)).toEqual({
      records: [...of('pve1'), ...of('pve2')],
      complete: ALL,
      nodes: null,
      notes: [],
    });
    const paths = ['status', 'hardware/pci', 'disks/list', 'apt/update'];
    expect(pve.asked()).toEqual(
      ['/nodes', ...['pve1', 'pve2'].flatMap((node) => paths.map((path) => `/nodes/${node}/${path}`))].sort(),
    );
    expect(outcome).toMatchObject({ requests: 9 });
  });

  it('is processors, disks with their health, PCI devices and updates', async () => {
    const outcome = await collect();
    const bodies = outcome.kind === 'observed' ? outcome.value.records.slice(0, 3).map(({ body }) => body) : [];
    const [report, health, updates] = bodies;
    expect(report).toMatchObject({ by: 'API', sections: ['cpus', 'disks', 'pci'] });
    expect(partLines(report as HardwareReport)).toEqual([
      'cpus socket 1 | - | Xeon | - | - | 4 cores',
      'disks S-pve1 | - | SSD | S-pve1 | 100 | ssd',
      'pci 0000:01:00.0 | NVIDIA | GA102 | - | - | 10de:2204',
    ]);
    const told = {
      disk: 'S-pve1',
      device: '/dev/sda',
      model: 'SSD',
      verdict: 'PASSED',
      lifeLeftPercent: 97,
      counters: [],
    };
    expect(health).toEqual({ by: 'API', disks: [told] });
    expect(updates).toEqual({
      packages: [{ name: 'pve-manager', installed: '9.1.6', available: '9.1.7', origin: 'Proxmox' }],
    });
  });

  it('without Sys.Modify lacks the updates, says which privilege shows them, and takes nothing back', async () => {
    const words = 'Permission check failed (/nodes/pve1, Sys.Modify)';
    for (const node of ['pve1', 'pve2']) pve.paths.set(`/nodes/${node}/apt/update`, refuse(403, words));
    expect(observed(await collect())).toMatchObject({
      complete: ['hardware', 'hardware.health'],
      notes: [
        `pending updates of pve1, pve2 could not be read: 403 ${words} (the token needs Sys.Modify on /nodes for them; everything else is read without it)`,
      ],
    });
  });

  it('of a node that fails in one thing keeps the others, and does not take that one back', async () => {
    pve.paths.set('/nodes/pve2/disks/list', refuse(500, 'lsblk failed'));
    expect(observed(await collect())).toEqual({
      records: [...ALL.map((kind) => `${kind} pve1`), 'hardware pve2', 'hardware.updates pve2'],
      complete: ['hardware', 'hardware.updates'],
      nodes: null,
      notes: ['disks of pve2 could not be read: 500 lsblk failed'],
    });
  });

  it('of a node that is down is asked for once, and keeps its last report', async () => {
    pve.paths.set('/nodes/pve2/status', refuse(595, 'No route to host'));
    expect(observed(await collect())).toMatchObject({
      complete: [],
      nodes: ['pve1'],
      notes: ['processors of pve2 could not be read: 595 No route to host'],
    });
    expect(pve.asked().filter((path) => path.includes('pve2'))).toEqual(['/nodes/pve2/status']);
  });

  it('of a node that is offline is not asked for', async () => {
    members('pve1', 'pve2!');
    expect(observed(await collect())).toMatchObject({
      complete: ALL,
      nodes: ['pve1'],
      notes: ['pve2: offline, the last report stays'],
    });
  });

  it('of a node that SSH reads is not asked for, and what the API said of it goes', async () => {
    members('pve1', 'pve2', 'pve3!');
    expect(observed(await collect(source(['pve2'])))).toMatchObject({
      records: ALL.map((kind) => `${kind} pve1`),
      complete: ALL,
      nodes: ['pve1', 'pve2'],
    });
    expect(pve.asked().filter((path) => path.includes('pve2'))).toEqual([]);
  });

  it('is never asked for of more than four nodes at once', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    members(...names);
    for (const name of names) pve.paths.set(`/nodes/${name}/status`, data(STATUS));
    const steps: number[] = [];
    await source().collect({ progress: (done) => steps.push(done) }, new AbortController().signal);
    expect(steps).toEqual(names.map((_, index) => index + 1));
    expect(pve.peak()).toBeLessThanOrEqual(4);
  });

  it('that no node tells is unreachable, with the first reason', async () => {
    for (const node of ['pve1', 'pve2'])
      for (const path of ['status', 'hardware/pci', 'disks/list', 'apt/update'])
        pve.paths.set(`/nodes/${node}/${path}`, refuse(403, 'Permission check failed (/, Sys.Audit)'));
    expect(await reason()).toBe(
      'no node tells of its hardware: 403 Permission check failed (/, Sys.Audit); give the token that privilege on /nodes',
    );
  });

  it.each([
    [
      'a login page',
      (): void =>
        void pve.paths.set('/nodes', (_, response) =>
          response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
        ),
      'it answers, but is not a Proxmox API: an HTML page; check the URL and its port, and whether a proxy or a login page stands in between (asked for /nodes)',
    ],
    [
      'another list',
      (): void => void pve.paths.set('/nodes', data({})),
      'the answer to /nodes is no list of nodes; check the URL and its port, and whether a proxy or a login page stands in between',
    ],
    [
      'a list of something else',
      (): void => void pve.paths.set('/nodes', data([{ foo: 1 }])),
      'the answer to /nodes is no list of nodes; check the URL and its port, and whether a proxy or a login page stands in between',
    ],
    [
      'a refusal',
      (): void => void pve.paths.set('/nodes', refuse(401, 'invalid token value!')),
      '401 invalid token value! (check tokenId, and the secret that tokenSecretEnv or tokenSecretFile names)',
    ],
  ])('behind %s is unreachable', async (_, prepare, words) => {
    prepare();
    expect(await reason()).toBe(`${pve.url}: ${words}`);
  });

  it('where nobody listens is unreachable', async () => {
    const url = `https://127.0.0.1:${await deadPort()}`;
    expect(await reason(source([], [url]))).toBe(`${url}: ${NOBODY}`);
  });

  it('lets go at once when cancelled', async () => {
    pve.paths.set('/nodes/pve1/disks/list', silence);
    const cancel = new AbortController();
    const running = expect(collect(source(), cancel.signal)).rejects.toThrow('enough');
    await expect.poll(() => pve.seen.some((path) => path.endsWith('/nodes/pve1/disks/list'))).toBe(true);
    cancel.abort(new Error('enough'));
    await running;
  });
});

it('a cluster without an API has none to tell, and one that cannot be asked is unreachable', async () => {
  const of = (more: object) =>
    hardwareApiSource(settings([], { api: null, ...more }), { now: () => T0, skip: () => [] });
  const signal = new AbortController().signal;
  const outcomes = [of({}), of({ broken: 'tokenSecretEnv: not set' })].map((each) =>
    each.collect({ progress: () => {} }, signal),
  );
  expect(await Promise.all(outcomes)).toEqual([
    { kind: 'disabled', reason: 'no API is configured for this cluster' },
    { kind: 'unreachable', at: T0, reason: 'tokenSecretEnv: not set', requests: 0 },
  ]);
});
