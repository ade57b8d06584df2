import type { ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import type { KnownCluster, ReadPlan } from '../../../src/domain/observation.js';
import { HAND_OVER_MS, LONGEST_HAND_OVER_MS, proxmoxSource } from '../../../src/sources/proxmox/source.js';
import { json } from '../scripted-server.js';
import { age, known, knownGuest, row, T0 } from './known.js';
import { data, guest, nodeRow, type ScriptedPve } from './scripted-pve.js';
import { all, keep, never, observe, observed, partOf, pve, settings, slice, told } from './source-rig.js';

/** A source whose waits are over when the test says so. */
function patient(cluster: ScriptedPve) {
  let clock = T0;
  let over = new Map<number, () => void>();
  const wait = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      over.set(ms, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  const asking = keep(proxmoxSource(settings([cluster.url]), { now: () => clock++, limits: { backOffMs: 2 }, wait }));
  const timeIsUp = (...waits: readonly number[]) => {
    for (const ms of waits) over.get(ms)?.();
  };
  return {
    asking,
    timeIsUp,
    /** One pass, whose time is up when so many of its reads have ended. */
    async pass(plan: ReadPlan, knows: KnownCluster, reads: number) {
      over = new Map();
      const progress = (done: number) => done === reads && timeIsUp(HAND_OVER_MS);
      return observed(await asking.collect({ known: knows, plan, progress: (done) => void progress(done) }, never()));
    },
  };
}

/** Answers of this path are held until the test gives them. */
function hold(cluster: ScriptedPve, path: string, arrived = () => {}): ServerResponse[] {
  const held: ServerResponse[] = [];
  cluster.paths.set(path, (_, response) => {
    held.push(response);
    arrived();
  });
  return held;
}

const arrival = (held: readonly ServerResponse[]) => vi.waitFor(() => expect(held).toHaveLength(1));
const agent = (vmid: number) => `/nodes/pve1/qemu/${vmid}/agent/network-get-interfaces`;
const power = new Map([
  ['pve1', age(T0)],
  ['pve2', age(T0)],
]);
const stale = (vmid: number, node = 'pve1') =>
  knownGuest(row(vmid, { node }), { parts: { config: age(T0 - 9), addresses: age(T0 - 9) } });
const dead = (held: readonly ServerResponse[]) => {
  for (const response of held) json(response, { data: null }, 500, 'QEMU guest agent is not running');
};

describe('a guest agent that is slow to say that it is dead', () => {
  it('keeps nobody waiting: its part comes with a later pass, bears the time it was asked, and is asked once', async () => {
    const cluster = await pve([guest(101), guest(102)]);
    const held = hold(cluster, agent(101));
    const { asking, pass } = patient(cluster);
    const first = await pass(slice(4), known([stale(101), stale(102)], { power }), 3);
    expect(told(first.parts)).toEqual(['addresses 102 read', 'config 101 read', 'config 102 read']);
    await arrival(held);

    const fresh = { config: age(T0), addresses: age(T0) };
    const knows = known(
      [
        knownGuest(row(101), { parts: { config: age(T0), addresses: age(T0 - 9) } }),
        knownGuest(row(102), { parts: fresh }),
      ],
      { power },
    );
    const asked = { part: 'addresses', key: '101' } as const;
    expect((await observe(asking, slice(0, asked), knows)).parts).toEqual([]);
    expect(held).toHaveLength(1);

    dead(held);
    const last = await vi.waitFor(async () => {
      const seen = await observe(asking, slice(0, asked), knows);
      expect(told(seen.parts)).toEqual([
        'addresses 101 failed: 500 QEMU guest agent is not running; start it in the guest, or take agent out of its config',
      ]);
      return seen;
    });
    expect(last.parts[0]?.askedAt).toBeLessThan(last.askedAt);
    expect(last.parts[0]?.askedAt).toBeGreaterThan(first.askedAt);
    expect(held).toHaveLength(1);
  });

  it('is not believed once its guest has changed: that is asked for anew', async () => {
    const cluster = await pve([guest(101)]);
    const held = hold(cluster, agent(101));
    const { asking, pass } = patient(cluster);
    await pass(slice(2), known([stale(101)], { power }), 1);
    await arrival(held);

    cluster.paths.set('/cluster/resources', data([guest(101, { name: 'another' }), nodeRow('pve1')]));
    cluster.paths.set(agent(101), data({ result: [] }));
    const second = await observe(asking, slice(0), known([stale(101)], { power }));
    expect(told(second.parts)).toEqual(['addresses 101 read', 'config 101 read']);
    dead(held);
    await vi.waitFor(() => expect(held[0]?.writableFinished).toBe(true));
    const renamed = known([knownGuest(row(101, { name: 'another' }))], { power });
    expect((await observe(asking, slice(0), renamed)).parts).toEqual([]);
  });

  it('is asked anew by a full pass, which waits for everything', async () => {
    const cluster = await pve([guest(101)]);
    const held = hold(cluster, agent(101));
    const { asking, pass } = patient(cluster);
    await pass(slice(2), known([stale(101)], { power }), 1);
    await arrival(held);
    cluster.paths.set(agent(101), data({ result: [] }));
    expect(told((await observe(asking, all, known([stale(101)], { power }))).parts)).toContain('addresses 101 read');
    await vi.waitFor(() => expect(cluster.dropped()).toBe(1));
  });
});

describe('a node that hangs', () => {
  it('does not keep the parts of other nodes, nor the list', async () => {
    const cluster = await pve([guest(101), guest(201, { node: 'pve2' })]);
    hold(cluster, '/nodes/pve2/qemu/201/config');
    const { pass } = patient(cluster);
    const seen = await pass(slice(4), known([stale(101), stale(201, 'pve2')], { power }), 2);
    expect(told(seen.parts)).toEqual(['addresses 101 read', 'config 101 read']);
    expect(seen.rows).toHaveLength(2);
  });

  it('is waited for where its config decides who lives there, but not for long once it is known to hang', async () => {
    const cluster = await pve([guest(101), guest(201, { node: 'pve2' })]);
    const { asking, pass, timeIsUp } = patient(cluster);
    const held = hold(cluster, '/nodes/pve1/qemu/101/config', () => {
      timeIsUp(HAND_OVER_MS, LONGEST_HAND_OVER_MS);
      setImmediate(() => held.map((response) => json(response, { data: { agent: 0 } })));
    });
    hold(cluster, '/nodes/pve2/qemu/201/config');
    // 101 is new; 201 is read in its turn, and hangs.
    const first = await pass(slice(2), known([stale(201, 'pve2')], { power }), 0);
    expect(partOf(first, 'config', '101')).toMatchObject({ kind: 'read' });

    hold(cluster, '/nodes/pve2/qemu/202/config', () => timeIsUp(HAND_OVER_MS, LONGEST_HAND_OVER_MS));
    cluster.paths.set(
      '/cluster/resources',
      data([guest(201, { node: 'pve2' }), guest(202, { node: 'pve2' }), nodeRow('pve2')]),
    );
    const second = await observe(asking, slice(0), known([stale(201, 'pve2')], { power }));
    expect(second.rows.map(({ vmid }) => vmid)).toEqual([201, 202]);
    expect(partOf(second, 'config', '202')).toBeUndefined();
  });
});

describe('what goes on in the background', () => {
  it('ends when the source is closed', async () => {
    const cluster = await pve([guest(101)]);
    const held = hold(cluster, agent(101));
    const { asking, pass } = patient(cluster);
    await pass(slice(2), known([stale(101)], { power }), 1);
    await arrival(held);
    await asking.close();
    await vi.waitFor(() => expect(cluster.dropped()).toBe(1));
  });

  it('does not outlive a pass that is cancelled', async () => {
    const cluster = await pve([guest(101)]);
    const cancel = new AbortController();
    hold(cluster, agent(101), () => cancel.abort(new Error('stopping')));
    const { asking } = patient(cluster);
    const request = { known: known([stale(101)], { power }), plan: slice(2) };
    await expect(asking.collect(request, cancel.signal)).rejects.toThrow('stopping');
    await vi.waitFor(() => expect(cluster.dropped()).toBe(1));
  });

  it('goes on when the caller’s signal is aborted after the pass was handed over', async () => {
    const cluster = await pve([guest(101)]);
    const held = hold(cluster, agent(101));
    const { asking, timeIsUp } = patient(cluster);
    const cancel = new AbortController();
    const request = { known: known([stale(101)], { power }), plan: slice(2), progress: () => timeIsUp(HAND_OVER_MS) };
    await asking.collect(request, cancel.signal);
    cancel.abort(new Error('stopping'));
    await arrival(held);
    dead(held);
    await vi.waitFor(async () => {
      const seen = await observe(asking, slice(0), known([knownGuest(row(101))], { power }));
      expect(told(seen.parts)).toEqual([
        'addresses 101 failed: 500 QEMU guest agent is not running; start it in the guest, or take agent out of its config',
      ]);
    });
  });
});
