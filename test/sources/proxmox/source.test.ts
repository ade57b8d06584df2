import { describe, expect, it } from 'vitest';
import { json } from '../scripted-server.js';
import { age, known, knownGuest, knownRow, row, T0 } from './known.js';
import { container, data, guest, member, refuse, type ScriptedPve, silence } from './scripted-pve.js';
import { all, collect, never, observe, observed, partOf, pve, SECRET, slice, source, told } from './source-rig.js';

describe('one pass over a healthy cluster', () => {
  it('reads the list, and every part of every guest where all is wanted', async () => {
    const cluster = await pve([guest(101), container(102), guest(103, { status: 'stopped', uptime: 0, node: 'pve2' })]);
    cluster.paths.set('/nodes/pve1/qemu', data([{ vmid: 101, status: 'running', qmpstatus: 'paused' }]));
    const progress: string[] = [];
    const outcome = await source([cluster]).collect(
      { known: known(), plan: all, progress: (done, total) => progress.push(`${done}/${total}`) },
      never(),
    );
    const seen = observed(outcome);
    expect(seen).toMatchObject({
      ...{ askedAt: T0, proxmoxName: 'lab', version: '9.1.1', quorate: true, quorumKnown: true, full: true, notes: [] },
      nodes: [{ name: 'pve1', status: 'ONLINE', ip: '10.0.0.1' }, { name: 'pve2' }],
      rows: [
        { vmid: 101, kind: 'QEMU' },
        { vmid: 102, kind: 'LXC' },
        { vmid: 103, status: 'STOPPED' },
      ],
    });
    expect(told(seen.parts)).toEqual([
      'addresses 101 read',
      'addresses 102 read',
      'addresses 103 none: stopped',
      'config 101 read',
      'config 102 read',
      'config 103 read',
      'power pve1 read',
      'power pve2 read',
    ]);
    expect(partOf(seen, 'power', 'pve1')).toMatchObject({ value: new Map([[101, 'paused']]) });
    expect(progress).toEqual(Array.from({ length: 8 }, (_, i) => `${i + 1}/8`));
    expect(outcome).toMatchObject({ requests: cluster.seen.length });
  });

  it('costs four requests when nothing changed and nothing is asked for', async () => {
    const cluster = await pve([guest(101)]);
    const asking = source([cluster]);
    const first = await observe(asking);
    cluster.asked();
    const knows = known([knownGuest(row(101))], {
      activityMark: first.activityMark,
      power: new Map([['pve1', age(T0)]]),
    });
    const outcome = await collect(asking, slice(0), knows);
    expect(cluster.asked()).toEqual([
      '/cluster/log?max=500',
      '/cluster/resources',
      '/cluster/status',
      '/cluster/tasks',
    ]);
    expect(outcome).toMatchObject({ requests: 4, value: { parts: [], full: false, version: '9.1.1' } });
  });

  it('sends the token, and each part bears the time it was asked', async () => {
    const cluster = await pve([guest(101)]);
    let clock = T0;
    const asking = source([cluster], {}, () => clock++);
    const seen = await observe(asking);
    expect(cluster.headers[0]?.authorization).toBe(`PVEAPIToken=it@pve!read=${SECRET}`);
    const times = seen.parts.map(({ askedAt }) => askedAt);
    expect(times.every((time) => time > seen.askedAt && time < clock)).toBe(true);
  });

  it('reads a renamed guest, one that a task names, and nothing of the others', async () => {
    const cluster = await pve([guest(101, { name: 'new' }), guest(102), guest(103)]);
    const task = { upid: 'UPID:pve1:1:2:3:qmconfig:102:x:', id: '102', type: 'qmconfig', endtime: 5 };
    const knows = known([101, 102, 103].map((vmid) => knownGuest(row(vmid))));
    cluster.paths.set('/cluster/tasks', data([task]));
    const asking = source([cluster]);
    const seen = await observe(asking, slice(0), knows);
    expect(told(seen.parts)).toEqual([
      'addresses 101 read',
      'addresses 102 read',
      'config 101 read',
      'config 102 read',
      'power pve1 read',
    ]);
    const next = await observe(
      asking,
      slice(0),
      known([...knows.guests.values()], { activityMark: seen.activityMark }),
    );
    expect(told(next.parts)).toEqual(['addresses 101 read', 'config 101 read']);
  });

  it('keeps no more than eight requests under way', async () => {
    const cluster = await pve(Array.from({ length: 40 }, (_, i) => guest(100 + i)));
    cluster.paths.set('/nodes/pve1/qemu', data([]));
    await observe(source([cluster]));
    expect(cluster.peak()).toBeLessThanOrEqual(8);
    expect(cluster.peak()).toBeGreaterThan(2);
  });
});

describe('absence', () => {
  const gone = [301, 302, 303].map((vmid) => knownGuest(row(vmid)));
  const proofs = (cluster: ScriptedPve) => {
    const taken = { errors: { vmid: 'VM 302 already exists' }, data: null };
    cluster.paths.set('/cluster/nextid?vmid=301', data('301'));
    cluster.paths.set('/cluster/nextid?vmid=302', refuse(400, 'Parameter verification failed.', taken));
    cluster.paths.set('/cluster/nextid?vmid=303', refuse(500, 'cluster not ready - no quorum?'));
  };

  it('is proven, disproven or left open, VMID by VMID', async () => {
    const cluster = await pve([guest(101)]);
    proofs(cluster);
    const seen = await observe(source([cluster]), slice(0), known([knownGuest(row(101)), ...gone]));
    expect(partOf(seen, 'vmid', '301')).toMatchObject({ value: { free: true } });
    expect(partOf(seen, 'vmid', '302')).toMatchObject({ value: { free: false } });
    expect(partOf(seen, 'vmid', '303')).toMatchObject({
      kind: 'failed',
      reason: '500 cluster not ready - no quorum?',
    });
  });

  it('is disproven by the list itself where it shows the guest', async () => {
    const cluster = await pve([guest(101)]);
    const knows = known([knownGuest(row(101))]);
    const seen = await observe(source([cluster]), slice(0, { part: 'vmid', key: '101' }), knows);
    expect(seen.parts).toEqual([
      { key: '101', askedAt: T0, result: { kind: 'read', part: 'vmid', value: { free: false } } },
    ]);
  });
});

describe('a standalone node', () => {
  it('is quorate and has no cluster name', async () => {
    const cluster = await pve([guest(101)]);
    cluster.paths.set('/cluster/status', data([member('pve1')]));
    expect(await observe(source([cluster]))).toMatchObject({ proxmoxName: null, quorate: true, quorumKnown: true });
  });
});

describe('cancelling', () => {
  it('ends a pass at once with the reason, and the source can be used again', async () => {
    const cluster = await pve([guest(101), guest(102)]);
    cluster.paths.set('/nodes/pve1/qemu/101/config', silence);
    const asking = source([cluster]);
    const cancel = new AbortController();
    cluster.paths.set('/nodes/pve1/qemu/102/config', () => cancel.abort(new Error('stopping')));
    await expect(asking.collect({ known: known(), plan: all }, cancel.signal)).rejects.toThrow('stopping');
    for (const vmid of [101, 102]) cluster.paths.set(`/nodes/pve1/qemu/${vmid}/config`, data({ agent: 0 }));
    expect((await observe(asking)).rows).toHaveLength(2);
    await expect(asking.collect({ known: known(), plan: all }, cancel.signal)).rejects.toThrow('stopping');
  });
});

describe('the slice', () => {
  it('reads the longest unread over the wire, and failed ones in their turn', async () => {
    const cluster = await pve([guest(101), guest(102), guest(103)]);
    const aged = (vmid: number, config: number, addresses: number, failures = 0) =>
      knownGuest(row(vmid), { parts: { config: age(config), addresses: age(addresses, failures) } });
    const power = new Map([['pve1', age(T0)]]);
    const guests = [aged(101, T0 - 10, T0 - 90, 5), aged(102, T0 - 50, T0 - 20), aged(103, T0 - 30, T0 - 40)];
    const seen = await observe(source([cluster]), slice(2), known(guests, { power }));
    expect(told(seen.parts)).toEqual(['addresses 103 read', 'config 102 read']);
  });

  it('reads the config first of a guest whose agent is not known', async () => {
    const cluster = await pve([guest(101)]);
    const guests = [knownGuest(row(101), { agent: undefined, parts: { config: age(T0) } })];
    const seen = await observe(source([cluster]), slice(1), known(guests, { power: new Map([['pve1', age(T0)]]) }));
    expect(told(seen.parts)).toEqual(['addresses 101 read', 'config 101 read']);
  });

  it('reads the addresses too once the config shows an agent that was not there', async () => {
    const cluster = await pve([guest(101)]);
    const guests = [knownGuest(row(101), { agent: false, parts: { config: age(T0 - 9), addresses: age(T0) } })];
    const seen = await observe(source([cluster]), slice(1), known(guests, { power: new Map([['pve1', age(T0)]]) }));
    expect(told(seen.parts)).toEqual(['addresses 101 read', 'config 101 read']);
  });

  it('leaves the addresses of new guests for a later poll when time runs out, but not those of a full pass', async () => {
    const cluster = await pve([guest(101)]);
    let clock = T0;
    cluster.paths.set('/nodes/pve1/qemu/101/config', (_, response) => {
      clock += 11_000;
      json(response, { data: { agent: 1 } });
    });
    const asking = source([cluster], {}, () => clock);
    expect(told((await observe(asking, slice(9))).parts)).toEqual(['config 101 read', 'power pve1 read']);
    expect(told((await observe(asking, all)).parts)).toContain('addresses 101 read');
  });

  it('says what has no part without a request', async () => {
    const stopped = row(101, { status: 'STOPPED', uptimeSeconds: 0 });
    const cluster = await pve([guest(101, { status: 'stopped', uptime: 0 })]);
    const guests = [
      knownGuest(stopped, { row: knownRow(stopped), parts: { config: age(T0), addresses: age(T0 - 1) } }),
    ];
    const asking = source([cluster]);
    const power = new Map([['pve1', age(T0)]]);
    const outcome = await collect(asking, slice(1), known(guests, { power }));
    expect(told(observed(outcome).parts)).toEqual(['addresses 101 none: stopped', 'config 101 read']);
  });
});
