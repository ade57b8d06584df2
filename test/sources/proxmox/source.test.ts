import { afterEach, describe, expect, it } from 'vitest';
import type { KnownCluster, Outcome, PartRead, ProxmoxObservation, ReadPlan } from '../../../src/domain/observation.js';
import { type ClusterSettings, Secret, type TlsPin } from '../../../src/domain/settings.js';
import { type ProxmoxSource, proxmoxSource } from '../../../src/sources/proxmox/source.js';
import type { HttpsLimits } from '../../../src/sources/transport/https.js';
import { deadPort, json, type ScriptedServer, scriptedServer, sha256Of } from '../scripted-server.js';
import { age, known, knownGuest, knownRow, row, T0 } from './known.js';
import {
  container,
  data,
  guest,
  member,
  nodeRow,
  refuse,
  type ScriptedPve,
  scriptedPve,
  silence,
} from './scripted-pve.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
  open.push(opened);
  return opened;
};
const pve = async (
  guests: readonly object[],
  ...more: [] | [Parameters<typeof scriptedPve>[1]]
): Promise<ScriptedPve> => keep(await scriptedPve(guests, ...more));

const SECRET = '8d3f0f0e-secret';
const pin: TlsPin = { kind: 'fingerprint', sha256: [sha256Of('node')] };

function settings(urls: readonly string[], more: Partial<ClusterSettings> = {}): ClusterSettings {
  const api = { urls, tokenId: 'it@pve!read', tokenSecret: new Secret(SECRET), tls: pin };
  const rest = { pollSeconds: 10, readsPerPoll: 50, addressScope: 'default', addressScopes: [] };
  return { name: 'lab', broken: null, api, ...rest, ...more };
}

function source(servers: readonly { url: string }[], limits: Partial<HttpsLimits> = {}, now = () => T0): ProxmoxSource {
  const urls = servers.map(({ url }) => url);
  return keep(proxmoxSource(settings(urls), { now, limits: { backOffMs: 2, ...limits } }));
}

const all: ReadPlan = { mode: 'all', slice: 0, asked: [] };
const slice = (count: number, ...asked: ReadPlan['asked']): ReadPlan => ({ mode: 'slice', slice: count, asked });
const never = () => new AbortController().signal;

const collect = (of: ProxmoxSource, plan: ReadPlan = all, knows: KnownCluster = known()) =>
  of.collect({ known: knows, plan }, never());

function observed(outcome: Outcome<ProxmoxObservation>): ProxmoxObservation {
  if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}
const observe = async (...args: Parameters<typeof collect>) => observed(await collect(...args));
const reason = async (...args: Parameters<typeof collect>) => {
  const outcome = await collect(...args);
  return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
};

/** `config 101 read`, `addresses 102 none: stopped`: sorted, without the values. */
const told = (parts: readonly PartRead[]) =>
  parts
    .map(
      ({ key, result }) =>
        `${result.part} ${key} ${result.kind === 'read' ? 'read' : `${result.kind}: ${result.reason}`}`,
    )
    .sort();
const partOf = (seen: ProxmoxObservation, part: string, key: string) =>
  seen.parts.map(({ key: of, result }) => ({ of, ...result })).find((each) => each.part === part && each.of === key);

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

describe('a guest that cannot be read', () => {
  it('is a failed part with Proxmox’ words, also where only the reason phrase has them', async () => {
    const cluster = await pve([guest(101), guest(102), guest(103)]);
    const words = 'Permission check failed (/vms/101, VM.Audit)';
    cluster.paths.set('/nodes/pve1/qemu/101/config', refuse(403, words));
    cluster.paths.set('/nodes/pve1/qemu/102/config', refuse(595, 'No route to host', ''));
    const seen = await observe(source([cluster]));
    expect(told(seen.parts)).toEqual([
      'addresses 101 failed: its config could not be read, so whether it has a guest agent is not known',
      'addresses 102 failed: its config could not be read, so whether it has a guest agent is not known',
      'addresses 103 read',
      `config 101 failed: 403 ${words}`,
      'config 102 failed: 595 No route to host',
      'config 103 read',
      'power pve1 read',
    ]);
    expect(seen.notes).toEqual([`the token may not read 1 parts, for one: 403 ${words}`]);
  });

  it('has no addresses to read when its agent is not configured, it is stopped, or its version has no such call', async () => {
    const cluster = await pve([guest(101), guest(102), guest(103), container(104), container(105)]);
    cluster.paths.set('/nodes/pve1/qemu/101/config', data({ cores: 1 }));
    const agent = (vmid: number) => `/nodes/pve1/qemu/${vmid}/agent/network-get-interfaces`;
    cluster.paths.set(agent(102), refuse(500, 'No QEMU guest agent configured'));
    cluster.paths.set(agent(103), refuse(500, 'VM 103 is not running'));
    cluster.paths.set(
      '/nodes/pve1/lxc/104/interfaces',
      refuse(501, "Method 'GET /nodes/pve1/lxc/104/interfaces' not implemented"),
    );
    cluster.paths.set('/nodes/pve1/lxc/105/interfaces', data(null));
    const seen = await observe(source([cluster]));
    expect(told(seen.parts).filter((part) => part.startsWith('addresses'))).toEqual([
      'addresses 101 none: no guest agent is configured',
      'addresses 102 none: no guest agent is configured',
      'addresses 103 none: stopped',
      expect.stringContaining('addresses 104 none: this Proxmox version has no such call'),
      'addresses 105 none: stopped',
    ]);
    expect(cluster.seen.some((url) => url.includes('/101/agent'))).toBe(false);
  });

  it('with a dead agent fails alone', async () => {
    const cluster = await pve([guest(101), guest(102), guest(103), guest(104)]);
    const agent = (vmid: number) => `/nodes/pve1/qemu/${vmid}/agent/network-get-interfaces`;
    cluster.paths.set(agent(101), (_, response) =>
      setTimeout(() => json(response, { data: null }, 500, 'QEMU guest agent is not running'), 300),
    );
    cluster.paths.set(agent(102), data({ result: { error: { class: 'Unsupported', desc: 'no' } } }));
    const seen = await observe(source([cluster]));
    expect(told(seen.parts).filter((part) => part.startsWith('addresses'))).toEqual([
      'addresses 101 failed: 500 QEMU guest agent is not running',
      'addresses 102 failed: the guest agent answers with an error: Unsupported: no',
      'addresses 103 read',
      'addresses 104 read',
    ]);
  });

  it('that just moved is asked once more on its new node', async () => {
    const cluster = await pve([guest(101), guest(102)]);
    const lost = (vmid: number) =>
      refuse(500, `Configuration file 'nodes/pve1/qemu-server/${vmid}.conf' does not exist`);
    for (const vmid of [101, 102]) cluster.paths.set(`/nodes/pve1/qemu/${vmid}/config`, lost(vmid));
    cluster.paths.set('/cluster/resources?type=vm', data([guest(101, { node: 'pve2' })]));
    cluster.paths.set('/nodes/pve2/qemu/101/config', data({ name: 'moved', agent: 0 }));
    const seen = await observe(source([cluster]));
    expect(partOf(seen, 'config', '101')).toMatchObject({ kind: 'read', value: { name: 'moved' } });
    expect(partOf(seen, 'config', '102')).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^500 .*does not exist/),
    });
    expect(cluster.seen.filter((url) => url.includes('type=vm'))).toHaveLength(1);
  });

  it('whose config makes no sense is a failed part', async () => {
    const cluster = await pve([guest(101)]);
    cluster.paths.set('/nodes/pve1/qemu/101/config', data(null));
    const seen = await observe(source([cluster]));
    expect(partOf(seen, 'config', '101')).toMatchObject({ kind: 'failed' });
  });
});

describe('a node that is gone', () => {
  it('costs no request when the list says it is offline', async () => {
    const cluster = await pve([guest(101), guest(102, { node: 'pve2', status: 'unknown' })]);
    cluster.paths.set(
      '/cluster/status',
      data([{ type: 'cluster', name: 'lab', quorate: 1 }, member('pve1'), member('pve2', 0)]),
    );
    const seen = await observe(source([cluster]));
    expect(seen.nodes.map(({ name, status }) => [name, status])).toEqual([
      ['pve1', 'ONLINE'],
      ['pve2', 'OFFLINE'],
    ]);
    expect(seen.rows.map(({ vmid }) => vmid)).toEqual([101, 102]);
    expect(told(seen.parts)).toEqual(['addresses 101 read', 'config 101 read', 'power pve1 read']);
    expect(cluster.seen.filter((url) => url.includes('pve2'))).toEqual([]);
  });

  it('is given up after three answers that it cannot be reached, though listed as online', async () => {
    const guests = Array.from({ length: 30 }, (_, i) => container(200 + i, { node: 'pve2' }));
    const cluster = await pve(guests);
    for (const { vmid } of guests) {
      cluster.paths.set(`/nodes/pve2/lxc/${vmid}/config`, refuse(595, 'No route to host', ''));
    }
    const seen = await observe(source([cluster], { concurrency: 1 }));
    expect(told(seen.parts)).toEqual([200, 201, 202].map((vmid) => `config ${vmid} failed: 595 No route to host`));
    expect(seen.notes).toEqual([expect.stringContaining('node pve2 does not answer though it is listed as online')]);
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

describe('the token’s rights', () => {
  it('without Sys.Audit leave quorum to be judged by the nodes online', async () => {
    const cluster = await pve([guest(101)]);
    cluster.paths.set('/cluster/status', refuse(403, 'Permission check failed (/, Sys.Audit)'));
    const asking = source([cluster]);
    const seen = await observe(asking);
    expect(seen).toMatchObject({ quorumKnown: false, quorate: true, proxmoxName: null });
    expect(seen.notes).toEqual([expect.stringMatching(/needs Sys\.Audit on \/.*Permission check failed/)]);
    cluster.paths.set('/cluster/resources', data([guest(101), nodeRow('pve1'), nodeRow('pve2', 'offline')]));
    expect(await observe(asking)).toMatchObject({ quorumKnown: false, quorate: false });
  });

  it('without the log are asked about once an hour', async () => {
    const cluster = await pve([guest(101)]);
    cluster.paths.set('/cluster/log', refuse(403, 'Permission check failed (/, Sys.Syslog)'));
    let clock = T0;
    const asking = source([cluster], {}, () => clock);
    const logs = () => cluster.asked().filter((path) => path.startsWith('/cluster/log')).length;
    expect((await observe(asking)).notes).toEqual([expect.stringContaining('needs Sys.Syslog')]);
    expect(logs()).toBe(1);
    clock += 59 * 60_000;
    expect((await observe(asking)).notes).toEqual([expect.stringContaining('needs Sys.Syslog')]);
    expect(logs()).toBe(0);
    clock += 60_000;
    await observe(asking);
    expect(logs()).toBe(1);
  });

  it('that are none at all make the cluster unreachable, in Proxmox’ words', async () => {
    const cluster = await pve([]);
    cluster.paths.set('/cluster/resources', refuse(401, 'invalid token value!', ''));
    const said = await reason(source([cluster]));
    expect(said).toBe(`${cluster.url}: 401 invalid token value! (check tokenId and the token secret)`);
    expect(cluster.seen).toHaveLength(1);
  });
});

describe('a standalone node', () => {
  it('is quorate and has no cluster name', async () => {
    const cluster = await pve([guest(101)]);
    cluster.paths.set('/cluster/status', data([member('pve1')]));
    expect(await observe(source([cluster]))).toMatchObject({ proxmoxName: null, quorate: true, quorumKnown: true });
  });
});

describe('a cluster that cannot be read', () => {
  const at = async (server: Promise<ScriptedServer>, more?: Partial<HttpsLimits>) => {
    const started = keep(await server);
    return { url: started.url, said: await reason(source([started], more)) };
  };

  it('shows another certificate', async () => {
    const cluster = await pve([], 'other');
    const said = await reason(source([cluster]));
    expect(said).toContain(`${cluster.url}: its certificate has the SHA-256 fingerprint `);
    expect(cluster.seen).toEqual([]);
  });

  it('refuses the connection, or does not resolve', async () => {
    const url = `https://127.0.0.1:${await deadPort()}`;
    expect(await reason(source([{ url }]))).toBe(`${url}: connection refused`);
    const nowhere = 'https://pve.invalid:8006';
    expect(await reason(source([{ url: nowhere }]))).toMatch(
      /^https:\/\/pve\.invalid:8006: the (host name|name server)/,
    );
  });

  it('is another product, a login page, a redirect, or breaks off', async () => {
    const page = await at(
      scriptedServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
    );
    expect(page.said).toBe(`${page.url}: it answers, but is not a Proxmox API: an HTML page`);
    const product = await at(scriptedServer((_, response) => json(response, { ok: true })));
    expect(product.said).toContain('not a Proxmox API: JSON without "data"');
    const moved = await at(scriptedServer((_, response) => json(response, '', 301, 'Moved Permanently')));
    expect(moved.said).toContain('not a Proxmox API: redirects (301 Moved Permanently)');
    const wrong = await at(scriptedServer((_, response) => json(response, { data: { vmid: 1 } })));
    expect(wrong.said).toContain('/cluster/resources is no list');
    const cut = await at(scriptedServer((_, response) => response.end('{"data":[{"vmid":1')));
    expect(cut.said).toContain('the answer breaks off after 18 characters');
  });

  it('has lost its own file system', async () => {
    const cluster = await pve([]);
    cluster.paths.set('/cluster/resources', refuse(500, 'ipcc_send_rec[1] failed: Connection refused'));
    expect(await reason(source([cluster]))).toBe(`${cluster.url}: 500 ipcc_send_rec[1] failed: Connection refused`);
  });

  it('is named but not set up', async () => {
    const broken = proxmoxSource(settings([], { api: null, broken: 'the secret PVE_TOKEN is not set' }), {
      now: () => T0,
    });
    const expected = { kind: 'unreachable', at: T0, reason: 'the secret PVE_TOKEN is not set', requests: 0 };
    expect(await collect(broken)).toEqual(expected);
    const none = proxmoxSource(settings([], { api: null }), { now: () => T0 });
    expect((await collect(none)).kind).toBe('disabled');
  });

  it('never says the token’s secret', async () => {
    const cluster = await pve([guest(101)], 'other');
    expect(JSON.stringify(await collect(source([cluster])))).not.toContain(SECRET);
    expect(JSON.stringify(settings([cluster.url]))).not.toContain(SECRET);
  });
});

describe('several nodes to ask', () => {
  it('are tried until one answers as Proxmox, which the notes tell', async () => {
    const dead = { url: `https://127.0.0.1:${await deadPort()}` };
    const sick = await pve([]);
    sick.paths.set('/cluster/resources', refuse(500, 'cluster not ready - no quorum?'));
    const page = keep(await scriptedServer((_, response) => response.end('<html>')));
    const good = await pve([guest(101)]);
    const seen = await observe(source([dead, sick, page, good]));
    expect(seen.rows).toHaveLength(1);
    expect(seen.notes).toEqual([
      `${dead.url} is not used: connection refused`,
      `${sick.url} is not used: 500 cluster not ready - no quorum?`,
      `${page.url} is not used: it answers, but is not a Proxmox API: an HTML page`,
    ]);
  });

  it('are changed in the midst of things when the one that answered goes away', async () => {
    const first = await pve([guest(101)]);
    const second = await pve([guest(101)]);
    const asking = source([first, second]);
    expect((await observe(asking)).version).toBe('9.1.1');
    await first.close();
    second.paths.set('/version', data({ version: '8.4.1' }));
    expect(await observe(asking)).toMatchObject({ version: '8.4.1', rows: [{ vmid: 101 }] });
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
