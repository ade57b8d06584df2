import { describe, expect, it } from 'vitest';
import { proxmoxSource } from '../../../src/sources/proxmox/source.js';
import type { HttpsLimits } from '../../../src/sources/transport/https.js';
import { deadPort, json, NOBODY, type ScriptedServer, scriptedServer } from '../scripted-server.js';
import { T0 } from './known.js';
import { container, data, guest, member, nodeRow, refuse } from './scripted-pve.js';
import { collect, keep, observe, partOf, pve, reason, SECRET, settings, source, told } from './source-rig.js';

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
      `config 101 failed: 403 ${words}; give the token that privilege`,
      'config 102 failed: 595 No route to host',
      'config 103 read',
      'power pve1 read',
    ]);
    // The guest's own part tells it: a note beside it would say one thing twice.
    expect(seen.notes).toEqual([]);
  });

  it('is told apart from a node that the token may not read: that is a note with its first example', async () => {
    const cluster = await pve([guest(101)]);
    const words = 'Permission check failed (/nodes/pve1, Sys.Audit)';
    cluster.paths.set('/nodes/pve1/qemu?full=1', refuse(403, words));
    const seen = await observe(source([cluster]));
    expect(told(seen.parts).filter((part) => part.includes('failed'))).toEqual([
      `power pve1 failed: 403 ${words}; give the token that privilege`,
    ]);
    expect(seen.notes).toEqual([
      `the token may not read one part, for one: 403 ${words}; give the token that privilege`,
    ]);
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
      'addresses 101 failed: 500 QEMU guest agent is not running; start it in the guest, or take agent out of its config',
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
    expect(said).toBe(
      `${cluster.url}: 401 invalid token value! (check tokenId, and the secret that tokenSecretEnv or tokenSecretFile names)`,
    );
    expect(cluster.seen).toHaveLength(1);
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
    expect(await reason(source([{ url }]))).toBe(`${url}: ${NOBODY}`);
    const nowhere = 'https://pve.invalid:8006';
    expect(await reason(source([{ url: nowhere }]))).toMatch(
      /^https:\/\/pve\.invalid:8006: the (host name|name server)/,
    );
  });

  it('is another product, a login page, a redirect, or breaks off', async () => {
    const page = await at(
      scriptedServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
    );
    expect(page.said).toBe(
      `${page.url}: it answers, but is not a Proxmox API: an HTML page; check the URL and its port, and whether a proxy or a login page stands in between (asked for /cluster/resources)`,
    );
    const product = await at(scriptedServer((_, response) => json(response, { ok: true })));
    expect(product.said).toContain('not a Proxmox API: JSON without "data"');
    const moved = await at(scriptedServer((_, response) => json(response, '', 301, 'Moved Permanently')));
    expect(moved.said).toContain('not a Proxmox API: redirects (301 Moved Permanently)');
    const refusing = await at(
      scriptedServer((_, response) =>
        json(response, { error: { code: 403, message: 'Permission Denied' } }, 403, 'No'),
      ),
    );
    expect(refusing.said).toContain('not a Proxmox API: 403 No with JSON of another kind; check the URL');
    const wrong = await at(scriptedServer((_, response) => json(response, { data: { vmid: 1 } })));
    expect(wrong.said).toContain('/cluster/resources is no list');
    const cut = await at(scriptedServer((_, response) => response.end('{"data":[{"vmid":1')));
    expect(cut.said).toContain('the answer breaks off after 18 characters');
  });

  it.each([
    ['an empty list', []],
    ['a list of one row, which is no node', [{ foo: 1 }]],
    ['a list of 2 rows, none a node', [guest(101), { type: 'node', status: 'online' }]],
  ])('is none where /cluster/resources is %s: Proxmox lists its own nodes, so nothing is gone', async (what, rows) => {
    const other = await at(scriptedServer((_, response) => json(response, { data: rows })));
    expect(other.said).toBe(
      `${other.url}: it answers, but is not a Proxmox API: /cluster/resources is ${what}, and Proxmox lists its nodes whatever the rights; check the URL and its port, and whether a proxy or a login page stands in between`,
    );
  });

  it('has lost its own file system', async () => {
    const cluster = await pve([]);
    cluster.paths.set('/cluster/resources', refuse(500, 'ipcc_send_rec[1] failed: Connection refused'));
    expect(await reason(source([cluster]))).toBe(
      `${cluster.url}: 500 ipcc_send_rec[1] failed: Connection refused; see the journal of that node (asked for /cluster/resources)`,
    );
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
      `${dead.url} is not used: ${NOBODY}`,
      `${sick.url} is not used: 500 cluster not ready - no quorum?; see the journal of that node`,
      `${page.url} is not used: it answers, but is not a Proxmox API: an HTML page; check the URL and its port, and whether a proxy or a login page stands in between`,
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
