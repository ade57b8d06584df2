import { describe, expect, it } from 'vitest';
import { macAddress } from '../../../src/domain/mac.js';
import type { AskedGuest } from '../../../src/sources/netbox/source.js';
import { collect, type Fields, fakeNetbox, kept, MAC_1, observed, smallNetbox, source } from './fake-netbox.js';

const clusters = { 'PVE Main': 'main' };
const asked = (vmid: number, more: Partial<AskedGuest> = {}): AskedGuest => ({
  ...{ guest: `main/${vmid}`, cluster: 'main', vmid, name: null, macs: [], known: [] },
  ...more,
});
const MAC = macAddress(MAC_1);
const macs = MAC === undefined ? [] : [MAC];

describe('Guests asked for alone', () => {
  it('are read in a handful of questions: the row as a whole pass would give it', async () => {
    const server = await fakeNetbox(smallNetbox());
    const whole = await observed(collect(source(server, { clusters })));
    server.seen.length = 0;
    const { outcome, requests } = await collect(source(server, { clusters }), {
      known: kept(whole),
      asked: [asked(101, { name: 'web-1', macs, known: ['vm/1'] })],
    });
    expect(outcome).toMatchObject({
      kind: 'observed',
      value: { only: { guests: ['main/101'], gone: [] }, rowCount: 1 },
    });
    expect(outcome.kind === 'observed' && outcome.value.rows).toEqual(whole.rows.filter(({ key }) => key === 'vm/1'));
    expect([requests, server.seen.length]).toEqual([8, 8]);
  });

  it.each<[by: string, guest: AskedGuest, found: readonly string[]]>([
    ['the row it is tied to', asked(900, { known: ['vm/2'] }), ['vm/2']],
    ['its VMID', asked(102), ['vm/2']],
    ['a MAC', asked(900, { macs }), ['vm/1']],
    ['its name, in any case', asked(900, { name: 'WEB-1' }), ['vm/1']],
    ['its name without the domain', asked(900, { name: 'web-1.example.org' }), ['vm/1']],
    ['its name where only NetBox has the domain', asked(900, { name: 'db-1' }), ['vm/2']],
    ['nothing', asked(900, { name: 'nobody' }), []],
  ])('are found by %s', async (_by, guest, found) => {
    const server = await fakeNetbox(smallNetbox());
    const { rows, only } = await observed(collect(source(server, { clusters }), { asked: [guest] }));
    expect([rows.map(({ key }) => key), only]).toEqual([found, { guests: [guest.guest], gone: [] }]);
  });

  it('are gone from NetBox where the row they were tied to is', async () => {
    const server = await fakeNetbox(smallNetbox());
    const known = kept(await observed(collect(source(server, { clusters }))));
    const tables = smallNetbox();
    tables['virtualization/virtual-machines'] = tables['virtualization/virtual-machines']?.slice(1) ?? [];
    const read = collect(source(await fakeNetbox(tables), { clusters }), {
      known,
      asked: [asked(101, { name: 'web-1', known: ['vm/1'] })],
    });
    expect(await observed(read)).toMatchObject({ rows: [], only: { guests: ['main/101'], gone: ['vm/1'] } });
  });

  it('take with them the addresses that were nobody’s until then', async () => {
    const tables = smallNetbox();
    const known = kept(await observed(collect(source(await fakeNetbox(tables), { clusters }))));
    const onVm = {
      ...{ assigned_object_type: 'virtualization.vminterface', assigned_object_id: 11 },
      assigned_object: { id: 11, virtual_machine: { id: 1 } },
    };
    tables['ipam/ip-addresses'] = (tables['ipam/ip-addresses'] ?? []).map(
      (row): Fields => (row.id === 43 ? { ...row, ...onVm } : row),
    );
    const server = await fakeNetbox(tables);
    const { rows, only } = await observed(collect(source(server, { clusters }), { known, asked: [asked(101)] }));
    expect(only?.gone).toEqual(['ip/43']);
    expect(rows[0]).toMatchObject({
      key: 'vm/1',
      addresses: expect.arrayContaining([
        { address: '10.0.0.200', scope: null, reserved: false, dynamic: true, virtual: false },
      ]),
    });
  });

  describe('where the custom field cannot be asked for exactly', () => {
    const many = (): Record<string, Fields[]> => ({
      'virtualization/virtual-machines': Array.from({ length: 150 }, (_, index) => ({
        ...{ id: index + 1, name: `vm-${index}`, custom_fields: { vmid: `${1010 + index}` } },
      })).concat([{ id: 500, name: 'target', custom_fields: { vmid: '101' } }]),
    });

    it('ask a text field again without its looseness', async () => {
      const server = await fakeNetbox(many(), { fieldFilter: 'loose' });
      const loose = await observed(collect(source(server), { asked: [asked(101), asked(1)] }));
      expect(loose).toMatchObject({ rows: [{ key: 'vm/500' }], only: { guests: ['main/101', 'main/1'] } });
    });

    it('leave it open where no way is narrow, but for guests whose row is known', async () => {
      const server = await fakeNetbox(many(), { fieldFilter: 'none' });
      const { rows, only } = await observed(
        collect(source(server), { asked: [asked(101), asked(102, { known: ['vm/3'] })] }),
      );
      expect([rows.map(({ key }) => key), only]).toEqual([['vm/3'], { guests: ['main/102'], gone: [] }]);
    });

    it('do not ask for it where no VM is known to have it', async () => {
      const tables = { 'virtualization/virtual-machines': [{ id: 1, name: 'web-1', custom_fields: {} }] };
      const server = await fakeNetbox(tables, { fieldFilter: 'none' });
      const known = kept(await observed(collect(source(server))));
      server.seen.length = 0;
      const { only } = await observed(collect(source(server), { known, asked: [asked(101, { name: 'web-1' })] }));
      expect(only?.guests).toEqual(['main/101']);
      expect(server.seen.filter((path) => path.includes('cf_vmid'))).toEqual([]);
    });
  });

  it('are not called gone when many of them are at once: a whole pass judges that', async () => {
    const table = Array.from({ length: 20 }, (_, index) => ({ id: index + 1, name: `vm-${index}`, custom_fields: {} }));
    const known = kept(await observed(collect(source(await fakeNetbox({ 'virtualization/virtual-machines': table })))));
    const guests = table.map(({ id }) => asked(id + 100, { known: [`vm/${id}`] }));
    const read = collect(source(await fakeNetbox({})), { known, asked: guests });
    expect((await observed(read)).only).toEqual({ guests: [], gone: [] });
  });

  it('cost the same handful for 25 guests as for one', async () => {
    const table = Array.from({ length: 60 }, (_, index) => ({
      ...{ id: index + 1, name: `vm-${index}`, custom_fields: { vmid: index + 101 } },
    }));
    const server = await fakeNetbox({ 'virtualization/virtual-machines': table });
    const of = (count: number) => table.slice(0, count).map(({ id, name }) => asked(id + 100, { name }));
    const { requests } = await collect(source(server), { asked: of(25) });
    const { outcome, requests: twice } = await collect(source(server), { asked: of(50) });
    expect([requests, twice]).toEqual([6, 11]);
    expect(outcome).toMatchObject({ value: { rowCount: 50 } });
  });

  it('are asked for in lines that gunicorn takes, however long their names and many their MACs', async () => {
    const server = await fakeNetbox(smallNetbox());
    const guests = Array.from({ length: 40 }, (_, index) =>
      asked(1000 + index, {
        name: `${'long-name-'.repeat(6)}${index}.${'x'.repeat(40)}.example.org`,
        macs: Array.from({ length: 32 }, (_each, nic) => macAddress(`02:00:00:00:${10 + index}:${10 + nic}`)).flatMap(
          (mac) => mac ?? [],
        ),
      }),
    );
    const { only } = await observed(collect(source(server), { asked: guests }));
    expect(only?.guests).toEqual(guests.map(({ guest }) => guest));
    expect(Math.max(...server.seen.map((path) => path.length))).toBeLessThan(4_094 - 'GET  HTTP/1.1'.length);
  });
});
