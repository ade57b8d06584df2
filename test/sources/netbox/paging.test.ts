import { describe, expect, it, vi } from 'vitest';
import { json } from '../scripted-server.js';
import { collect, type Fields, fakeNetbox, kept, observed, reason, smallNetbox, source, T0 } from './fake-netbox.js';

const vms = (count: number, more: object = {}): Fields[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ id: (index + 1) * 3, name: `vm-${count - index}`, custom_fields: { vmid: 1000 + index } },
    ...more,
  }));
const VMS = '/virtualization/virtual-machines/';

describe('Lists longer than a page', () => {
  it('are read to their end, also where the server gives fewer rows a page than asked for', async () => {
    const server = await fakeNetbox({ 'virtualization/virtual-machines': vms(250) }, { cap: 60 });
    const seen: string[] = [];
    const progress = (done: number, total: number) => seen.push(`${done}/${total}`);
    const { rows, rowCount } = await observed(collect(source(server), { progress }));
    expect([rows.length, rowCount]).toEqual([250, 250]);
    const pages = server.seen.filter((path) => path.includes(VMS));
    expect(pages.map((path) => new URL(path, server.url).searchParams.get('id__gt'))).toEqual([
      '0',
      '180',
      '360',
      '540',
      '720',
    ]);
    // Seven lists, of which one has five pages.
    expect(seen.at(-1)).toBe('11/11');
  });

  it('never goes where `next` points: that is what NetBox calls itself behind its proxy', async () => {
    const elsewhere = await fakeNetbox({});
    const server = await fakeNetbox(
      { 'virtualization/virtual-machines': vms(30) },
      { cap: 10, nextBase: elsewhere.url },
    );
    const { rows } = await observed(collect(source(server)));
    expect([rows.length, elsewhere.seen]).toEqual([30, []]);
  });

  it('lose no row when others are deleted between two pages', async () => {
    const table = vms(30);
    const server = await fakeNetbox(
      { 'virtualization/virtual-machines': table },
      {
        cap: 10,
        // The first three go after the first page was shown; by their place in the list, the next page would skip three.
        instead: (_request, _response, url) => {
          if (url.searchParams.get('id__gt') === '30') table.splice(0, 3);
          return false;
        },
      },
    );
    const { rows } = await observed(collect(source(server)));
    expect(rows.map(({ key }) => key)).toEqual(vms(30).map(({ id }) => `vm/${id}`));
  });

  it('make the source unreachable when one page fails, and not smaller', async () => {
    const server = await fakeNetbox(
      { 'virtualization/virtual-machines': vms(30) },
      {
        cap: 10,
        instead: (_request, response, url) => {
          if (url.searchParams.get('id__gt') !== '60') return false;
          json(response, { error: 'canceling statement due to statement timeout' }, 500, 'Internal Server Error');
          return true;
        },
      },
    );
    expect(await reason(collect(source(server)))).toBe(
      `unreachable: ${server.url}/api${VMS}: 500 Internal Server Error: canceling statement due to statement timeout; look at NetBox's log`,
    );
  });

  it('are left as soon as another list cannot be read', async () => {
    const server = await fakeNetbox(
      { 'virtualization/virtual-machines': vms(30) },
      {
        // VMs take their time; prefixes fail once they are waited for.
        instead: (_request, response, url) => {
          if (url.pathname.includes('/ipam/prefixes/')) json(response, { error: 'gone' }, 500, 'Server Error');
          return url.pathname.includes(VMS) || url.pathname.includes('/ipam/prefixes/');
        },
      },
    );
    expect(await reason(collect(source(server)))).toMatch(/prefixes\/: 500 Server Error: gone; look at NetBox's log$/);
    await vi.waitFor(() => expect(server.dropped()).toBe(1));
  });

  it('are read again when they end early, and not believed when they do so twice', async () => {
    const short = async (times: number) => {
      let told = 0;
      const server = await fakeNetbox(
        { 'virtualization/virtual-machines': vms(5) },
        {
          instead: (_request, response, url) => {
            if (!url.pathname.includes(VMS) || told++ >= times) return false;
            json(response, { count: 5, next: null, previous: null, results: vms(4) });
            return true;
          },
        },
      );
      return { server, source: source(server) };
    };
    const once = await short(1);
    expect((await observed(collect(once.source))).rows).toHaveLength(5);
    const twice = await short(2);
    expect(await reason(collect(twice.source))).toBe(
      `unreachable: ${twice.server.url}/api${VMS} ended before all the rows that it counts were shown, twice: nothing is concluded from half a list`,
    );
  });

  it('are not believed when the question was changed on its way', async () => {
    const server = await fakeNetbox(
      {},
      {
        instead: (_request, response, url) => {
          if (!url.pathname.includes(VMS)) return false;
          json(response, { count: 9, next: 'https://x/?offset=3', previous: null, results: vms(3) });
          return true;
        },
      },
    );
    expect(await reason(collect(source(server)))).toBe(
      `unreachable: ${server.url}/api${VMS}: row 3 came where rows above 9 were asked for (id__gt, ordering=id): does something between us change the query?`,
    );
  });

  it('are not read without end', async () => {
    const server = await fakeNetbox({ 'virtualization/virtual-machines': vms(30) }, { cap: 10 });
    expect(await reason(collect(source(server, {}, { mostRows: 15 })))).toBe(
      `unreachable: ${server.url}/api${VMS} has more than 15 rows: more than that is not read`,
    );
  });

  it('are asked for by no more than four requests at once, without what costs NetBox most', async () => {
    const server = await fakeNetbox(smallNetbox());
    const { requests } = await collect(source(server));
    // The status, seven lists, and which device an address lies on.
    expect([requests, server.seen.length]).toEqual([9, 9]);
    expect(server.peak()).toBeLessThanOrEqual(4);
    const query = new URL(server.seen.find((path) => path.includes(VMS)) ?? '', server.url).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      ...{ limit: '1000', ordering: 'id', id__gt: '0', exclude: 'config_context' },
      fields: 'id,name,status,cluster,device,vcpus,memory,disk,custom_fields',
    });
  });
});

describe('Addresses of devices', () => {
  const ip = (id: number): Fields => ({
    ...{
      id,
      address: `10.1.${id >> 8}.${id & 255}/16`,
      assigned_object_type: 'dcim.interface',
      assigned_object_id: id,
    },
    assigned_object: { id, name: 'eth0', device: { id: 7, name: 'switch-7' } },
  });

  it('are named by a question of their own: to say what bears an address costs NetBox a look-up for each', async () => {
    const ips = Array.from({ length: 250 }, (_, index) => ip(index + 1));
    const nobodys = { id: 900, address: '10.2.0.1/16', assigned_object: null };
    const server = await fakeNetbox({ 'ipam/ip-addresses': [...ips, nobodys] });
    const { rows } = await observed(collect(source(server)));
    const on = rows.map((row) => (row.kind === 'address' ? (row.device ?? 'nobody') : row.kind));
    expect(on).toEqual([...ips.map(() => 'switch-7'), 'nobody']);
    const asked = server.seen.filter((path) => path.includes('/ipam/ip-addresses/'));
    expect(asked.map((path) => new URL(path, server.url).searchParams.getAll('id').length)).toEqual([0, 100, 100, 50]);
    expect(asked[0]).toMatch(
      /fields=id,address,vrf,status,role,dns_name,description,assigned_object_type,assigned_object_id$/,
    );
  });

  it('need none in 3.7, which sends all fields', async () => {
    const server = await fakeNetbox({ 'ipam/ip-addresses': [ip(1)] }, { version: '3.7.8' });
    const { rows } = await observed(collect(source(server)));
    expect(rows).toMatchObject([{ key: 'ip/1', device: 'switch-7' }]);
    expect(server.seen).toHaveLength(8);
  });
});

describe('A NetBox that says less than before', () => {
  const tables = (count: number) => ({ 'virtualization/virtual-machines': vms(count) });

  it('declares nothing where it never did, and is unreachable where it did', async () => {
    const empty = source(await fakeNetbox({}));
    const words = 'NetBox dcim declares nothing: it has no VM, address, prefix or device that the token may view';
    expect((await collect(empty)).outcome).toEqual({ kind: 'absent', at: T0, reason: words });
    const known = kept(await observed(collect(source(await fakeNetbox(tables(3))))));
    expect((await collect(empty, { known })).outcome).toEqual({
      ...{ kind: 'unreachable', at: T0, reason: words, contentHash: null },
    });
  });

  it('may lose a fifth of its rows, and no more before a person confirms that very loss', async () => {
    const known = kept(await observed(collect(source(await fakeNetbox(tables(30))))));
    expect((await observed(collect(source(await fakeNetbox(tables(24))), { known }))).rows).toHaveLength(24);

    const table = vms(23);
    const fewer = source(await fakeNetbox({ 'virtualization/virtual-machines': table }));
    const { outcome } = await collect(fewer, { known });
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      reason:
        'NetBox dcim lost 7 of 30 rows at once: its last good rows stay until it shows them again (may the token still view them?) or a person confirms that they are gone (declaredConfirm)',
    });
    const confirmedHash = outcome.kind === 'unreachable' ? outcome.contentHash : null;
    // Meanwhile somebody writes something else: the loss is the same.
    table.push({ id: 5000, name: 'new', custom_fields: {} });
    expect((await observed(collect(fewer, { known, confirmedHash }))).rows).toHaveLength(24);
    // Another row goes: that is another loss.
    table.shift();
    expect(await reason(collect(fewer, { known, confirmedHash }))).toMatch(/lost 8 of 30 rows/);
  });

  it('hashes what rows say, wherever they say it', async () => {
    const hashes = await Promise.all(
      [smallNetbox(), smallNetbox(), { ...smallNetbox(), 'dcim/devices': [] }].map(async (each) => {
        const { outcome } = await collect(source(await fakeNetbox(each)));
        return outcome.kind === 'observed' ? outcome.contentHash : outcome.kind;
      }),
    );
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });
});
