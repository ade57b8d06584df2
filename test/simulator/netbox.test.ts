import { describe, expect, it } from 'vitest';
import { NetboxFaults, readNetboxFaults } from '../../src/simulator/wire/netbox/faults.js';
import type { NetboxVersion } from '../../src/simulator/wire/netbox/version.js';
import { askNetbox, declared, everything, netbox, pageOf, type Row, within } from './netbox-asking.js';

const VMS = 'virtualization/virtual-machines/';
const INTERFACES = 'virtualization/interfaces/';
const LISTS = [
  ...['virtualization/clusters', 'virtualization/virtual-machines', 'virtualization/interfaces'],
  ...['ipam/ip-addresses', 'ipam/prefixes', 'ipam/vrfs', 'ipam/vlans', 'ipam/fhrp-groups'],
  ...['dcim/devices', 'dcim/interfaces'],
];

describe('what differs between versions of NetBox', () => {
  async function first(version: NetboxVersion, path: string): Promise<Row | undefined> {
    return (await pageOf(await netbox({ version }), `${path}?limit=1`)).results[0];
  }

  it.each([
    ['3.7', 1],
    ['4.0', 1],
    ['4.2', 1000],
    ['4.6', 1000],
  ] as const)('%s counts %d to a GB of disk', async (version, unit) => {
    const server = await netbox({ version });
    const [vm] = server.model.vms.all();
    const shown = await askNetbox(server, `/api/${VMS}${vm?.id}/`);
    expect(within(shown.body as Row, 'disk')).toBe((vm?.diskGb ?? 0) * unit);
  });

  it('the site of a prefix is a scope since 4.2', async () => {
    const before = await first('4.0', 'ipam/prefixes/');
    expect([within(before, 'site', 'slug'), Object.hasOwn(before ?? {}, 'scope')]).toEqual(['simulated', false]);
    const after = await first('4.2', 'ipam/prefixes/');
    expect([within(after, 'scope', 'slug'), Object.hasOwn(after ?? {}, 'site')]).toEqual(['simulated', false]);
  });

  it('MAC addresses are objects since 4.2', async () => {
    const before = await first('4.0', INTERFACES);
    expect([typeof before?.mac_address, before?.mac_addresses]).toEqual(['string', undefined]);
    const after = await first('4.2', INTERFACES);
    expect(within(after, 'mac_addresses', '0', 'mac_address')).toBe(after?.mac_address);
    expect(within(after, 'primary_mac_address', 'mac_address')).toBe(after?.mac_address);
    expect((await askNetbox(await netbox({ version: '4.0' }), '/api/dcim/mac-addresses/')).status).toBe(404);
  });

  it('the role of a device has had one name since 4.0', async () => {
    expect(await first('3.7', 'dcim/devices/')).toMatchObject({ role: { id: 1 }, device_role: { id: 1 } });
    expect(Object.hasOwn((await first('4.0', 'dcim/devices/')) ?? {}, 'device_role')).toBe(false);
  });

  it('a paused VM has a word of its own only late', async () => {
    const { model } = declared().netbox;
    const [vm] = model.vms.all();
    model.vms.edit(vm?.id ?? 0, { status: 'paused' });
    const words = ['4.2', '4.6'].map(async (version) => {
      const server = await netbox({ version: version as NetboxVersion, model });
      return within((await askNetbox(server, `/api/${VMS}${vm?.id}/`)).body as Row, 'status', 'value');
    });
    expect(await Promise.all(words)).toEqual(['failed', 'paused']);
  });

  it('the version is in a header and in the status', async () => {
    const told = await askNetbox(await netbox({ version: '4.6' }), '/api/status/');
    expect([told.headers['api-version'], within(told.body as Row, 'netbox-version')]).toEqual(['4.6', '4.6.1']);
  });
});

describe('who may ask NetBox', () => {
  const detail = async (server: Awaited<ReturnType<typeof netbox>>, token: string | null) => {
    const { status, body } = await askNetbox(server, '/api/ipam/vrfs/', { token });
    return [status, within(body as Row, 'detail')];
  };

  it('whoever has a token, of the second version where that is known', async () => {
    const old = await netbox({ version: '4.2' });
    const young = await netbox({ version: '4.6' });
    const missing = [403, 'Authentication credentials were not provided.'];
    expect(await detail(old, `Token ${old.token}`)).toEqual([200, undefined]);
    expect(await detail(old, `Bearer ${old.tokenV2}`)).toEqual(missing);
    expect(await detail(old, null)).toEqual(missing);
    expect(await detail(old, 'Token 1234')).toEqual([403, 'Invalid token']);
    expect(await detail(young, `Bearer ${young.tokenV2}`)).toEqual([200, undefined]);
    expect(await detail(young, `Token ${young.token}`)).toEqual([200, undefined]);
    expect(await detail(young, 'Token 1234')).toEqual([403, 'Invalid v1 token']);
    expect(await detail(young, 'Bearer nbt_1.2')).toEqual([403, 'Invalid v2 token']);
    expect([old.token, young.tokenV2]).toEqual([
      expect.stringMatching(/^[0-9a-f]{40}$/),
      expect.stringMatching(/^nbt_\w{12}\.\w{40}$/),
    ]);
  });

  it('not with a token that has expired or is gone', async () => {
    const server = await netbox();
    server.faults.set({ tokenExpired: true });
    expect(await detail(server, `Token ${server.token}`)).toEqual([403, 'Token expired']);
    server.faults.set({ tokenExpired: false, tokenRevoked: true });
    expect(await detail(server, `Token ${server.token}`)).toEqual([403, 'Invalid token']);
    server.faults.clear();
    expect(await detail(server, `Token ${server.token}`)).toEqual([200, undefined]);
  });

  it('nobody may change anything over the wire', async () => {
    const server = await netbox();
    const { status } = await askNetbox(server, `/api/${VMS}`, { method: 'POST', body: '{}' });
    expect(status).toBe(403);
  });
});

describe('the lists of NetBox', () => {
  it('are paged by 50, at most by 1000, and link to what follows', async () => {
    const model = declared({ guests: 1300 }).netbox.model;
    const server = await netbox({ model });
    const total = model.vms.all().length;
    expect(total).toBeGreaterThan(1000);
    const page = await pageOf(server, VMS);
    expect([page.count, page.results.length, page.previous]).toEqual([total, 50, null]);
    expect(page.next).toBe(`${server.url}/api/${VMS}?limit=50&offset=50`);
    expect((await pageOf(server, `${VMS}?limit=5000`)).results.length).toBe(1000);
    expect((await pageOf(server, `${VMS}?limit=0`)).results.length).toBe(1000);
    const last = await pageOf(server, `${VMS}?limit=1000&offset=1000`);
    expect([last.next, last.results.length]).toEqual([null, total - 1000]);
    expect(last.previous).toBe(`${server.url}/api/${VMS}?limit=1000`);
  });

  it.each(LISTS)('of %s give each row once', async (path) => {
    const server = await netbox();
    const rows = await everything(server, `${path}/?limit=7`);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.length).toBe((await pageOf(server, `${path}/?limit=1`)).count);
  });

  it('are walked by id since 4.6, uncounted', async () => {
    const server = await netbox({ version: '4.6' });
    const rows = await everything(server, `${VMS}?start=0&limit=9`);
    expect(rows.map(({ id }) => id)).toEqual(server.model.vms.all().map(({ id }) => id));
    expect((await pageOf(server, `${VMS}?start=0&limit=9`)).count).toBeNull();
    expect((await askNetbox(server, `/api/${VMS}?start=0&offset=9`)).status).toBe(400);
  });

  it('link elsewhere where a proxy is not trusted', async () => {
    const server = await netbox();
    server.faults.set({ nextElsewhere: true });
    const { next } = await pageOf(server, `${VMS}?limit=5`);
    expect(next).toMatch(/^http:\/\/netbox-backend\.internal:8001\/api\/virtualization\/virtual-machines\/\?/);
  });

  it('send whoever forgets the slash to the path with it', async () => {
    const { status, headers } = await askNetbox(await netbox(), '/api/ipam/vrfs?limit=5');
    expect([status, headers.location]).toEqual([301, '/api/ipam/vrfs/?limit=5']);
  });
});

describe('filters of NetBox', () => {
  it('find a VM by VMID, name, MAC and cluster', async () => {
    const server = await netbox();
    const vm = server.model.vms.all().find(({ vmid, id }) => vmid !== null && server.model.interfacesOf(id).length > 0);
    const mac = server.model.interfacesOf(vm?.id ?? 0)[0]?.macs[0] ?? '';
    const ids = async (query: string) => (await pageOf(server, `${VMS}?${query}`)).results.map(({ id }) => id);
    expect(await ids(`cf_vmid=${vm?.vmid}`)).toEqual([vm?.id]);
    expect(await ids(`name=${vm?.name.toUpperCase()}`)).toEqual([vm?.id]);
    expect(await ids(`mac_address=${mac.toLowerCase()}`)).toEqual([vm?.id]);
    expect(await ids(`id=${vm?.id}&id=999999`)).toEqual([vm?.id]);
    expect((await pageOf(server, `${VMS}?cluster_id=${vm?.clusterId}`)).count).toBe(server.model.vms.all().length);
    expect(await ids('cf_vmid=null')).toHaveLength(server.model.vms.all().filter(({ vmid }) => vmid === null).length);
  });

  it('find the interfaces and addresses of a VM', async () => {
    const server = await netbox();
    const vm = server.model.vms.all().find(({ id }) => server.model.addressesOf(id).length > 0);
    const ids = async (path: string) => (await pageOf(server, path)).results.map(({ id }) => id).sort();
    expect(await ids(`${INTERFACES}?virtual_machine_id=${vm?.id}`)).toEqual(
      server.model.interfacesOf(vm?.id ?? 0).map(({ id }) => id),
    );
    expect(await ids(`ipam/ip-addresses/?virtual_machine_id=${vm?.id}`)).toEqual(
      server.model.addressesOf(vm?.id ?? 0).map(({ id }) => id),
    );
  });

  it('compare by what stands behind their names', async () => {
    const server = await netbox();
    const ids = server.model.vms.all().map(({ id }) => id);
    const told = async (query: string) =>
      (await pageOf(server, `${VMS}?limit=1000&${query}`)).results.map(({ id }) => id);
    expect(await told('id__gt=9&ordering=id')).toEqual(ids.filter((id) => id > 9));
    expect(await told('id__lte=9&ordering=-id')).toEqual(ids.filter((id) => id <= 9).reverse());
    expect(await told('id__n=9&ordering=id')).toEqual(ids.filter((id) => id !== 9));
    expect(await told('name__ic=DNS-')).toHaveLength(
      server.model.vms.all().filter(({ name }) => name.includes('dns-')).length,
    );
    expect(await askNetbox(server, `/api/${VMS}?id__gt=many`)).toMatchObject({ status: 400 });
  });

  it('that do not exist are ignored, and values that make no sense are refused', async () => {
    const server = await netbox();
    expect((await pageOf(server, `${VMS}?vmId=7`)).count).toBe(server.model.vms.all().length);
    expect(await askNetbox(server, `/api/${VMS}?cf_vmid=many`)).toMatchObject({
      status: 400,
      body: { cf_vmid: ['Enter a whole number.'] },
    });
    expect(await askNetbox(server, `/api/${VMS}?cluster_id=77`)).toMatchObject({
      status: 400,
      body: { cluster_id: ['Select a valid choice. 77 is not one of the available choices.'] },
    });
  });

  it('choose the fields', async () => {
    const server = await netbox();
    const keys = async (query: string) =>
      Object.keys((await pageOf(server, `${VMS}?limit=1&${query}`)).results[0] ?? {});
    expect(await keys('brief=1')).toEqual(['id', 'url', 'display', 'name', 'description']);
    expect(await keys('fields=id,custom_fields')).toEqual(['id', 'custom_fields']);
    const all = await keys('');
    const old = await netbox({ version: '3.7' });
    const [unasked] = (await pageOf(old, `${VMS}?limit=1&fields=id`)).results;
    expect(Object.keys(unasked ?? {}).length).toBeGreaterThan(20);
    expect(await keys('exclude=config_context')).toEqual(all.filter((key) => key !== 'config_context'));
  });
});

describe('what can be wrong with a simulated NetBox', () => {
  it('one page of a list fails', async () => {
    const server = await netbox();
    server.faults.set({ paths: [{ match: 'offset=20', does: 'error', status: 500 }] });
    expect((await askNetbox(server, `/api/${VMS}?limit=20`)).status).toBe(200);
    expect(await askNetbox(server, `/api/${VMS}?limit=20&offset=20`)).toMatchObject({
      status: 500,
      body: { exception: 'OperationalError', netbox_version: '4.2.2' },
    });
  });

  it('a page of another kind comes with status 200', async () => {
    const server = await netbox();
    server.faults.set({ loginPage: true });
    const { status, headers, body } = await askNetbox(server, `/api/${VMS}`);
    expect([status, headers['content-type'], body]).toEqual([200, 'text/html; charset=utf-8', undefined]);
  });

  it('a row vanishes between two pages', async () => {
    const server = await netbox();
    const whole = (await everything(server, `${VMS}?limit=20`)).map(({ id }) => id);
    server.faults.set({ countChanges: true });
    const [first, second] = [
      await pageOf(server, `${VMS}?limit=20`),
      await pageOf(server, `${VMS}?limit=20&offset=20`),
    ];
    expect([first.count, second.count]).toEqual([whole.length, whole.length - 1]);
    // The one that moved up is in neither page.
    expect([...first.results, ...second.results].map(({ id }) => id)).not.toContain(whole[20]);
  });

  it('many rows are lost at once, the same ones in every page', async () => {
    const server = await netbox();
    const before = (await pageOf(server, VMS)).count ?? 0;
    server.faults.set({ lostPercent: 40 });
    const { count } = await pageOf(server, VMS);
    expect((count ?? 0) / before).toBeLessThan(0.8);
    expect(await everything(server, `${VMS}?limit=7`)).toHaveLength(count ?? 0);
  });

  it('is read from JSON, by name', () => {
    expect(readNetboxFaults({ lostPercent: 40, countChanges: true })).toEqual({ lostPercent: 40, countChanges: true });
    expect(() => readNetboxFaults({ lostPerCent: 40 })).toThrow('lostPerCent: no such fault');
    expect(new NetboxFaults().now.lostPercent).toBe(0);
  });
});

describe('GraphQL of the simulated NetBox', () => {
  it('gives VMs by pages, with ids as text', async () => {
    const server = await netbox();
    const query = '{ virtual_machine_list(pagination: {offset: 1, limit: 2}) { id name custom_fields } }';
    const { body } = await askNetbox(server, '/graphql/', { method: 'POST', body: JSON.stringify({ query }) });
    const wanted = server.model.vms.all().slice(1, 3);
    expect(body).toEqual({
      data: {
        virtual_machine_list: wanted.map(({ id, name, vmid }) => ({ id: String(id), name, custom_fields: { vmid } })),
      },
    });
  });
});

describe('edits of a simulated NetBox', () => {
  it('show at once: a new name, another address, a VM that is gone', async () => {
    const server = await netbox();
    const { model } = server;
    const vm = model.vms.all().find(({ id }) => model.addressesOf(id).length === 1);
    const id = vm?.id ?? 0;
    const asked = async () => (await askNetbox(server, `/api/${VMS}${id}/`)).body as Row;
    model.renameVm(id, 'renamed');
    model.setAddress(id, '10.9.8.7/16');
    expect(await asked()).toMatchObject({ name: 'renamed', primary_ip4: { address: '10.9.8.7/16' } });
    const addresses = model.addresses.all().length;
    model.deleteVm(id);
    expect(await asked()).toEqual({ detail: 'No VirtualMachine matches the given query.' });
    expect(model.addresses.all()).toHaveLength(addresses - 1);
    expect((await pageOf(server, `ipam/ip-addresses/?address=10.9.8.7`)).count).toBe(0);
  });
});
