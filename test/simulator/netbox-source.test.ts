import { describe, expect, it, onTestFinished } from 'vitest';
import type { Declaration } from '../../src/domain/declaration.js';
import { Secret } from '../../src/domain/settings.js';
import type { SimulatedNetbox } from '../../src/simulator/wire/netbox/netbox.js';
import { netboxSource } from '../../src/sources/netbox/source.js';
import { NOW } from './asking.js';
import { CERTIFICATE, declared, netbox } from './netbox-asking.js';

/** What the product's own source makes of a simulated NetBox. */
async function readBy(server: SimulatedNetbox, token: string, pageSize = 1000) {
  const source = netboxSource(
    {
      ...{ name: 'dcim', broken: null, url: server.url, token: new Secret(token), vmidField: 'vmid' },
      tls: { kind: 'fingerprint', sha256: [CERTIFICATE.fingerprint.replaceAll(':', '').toLowerCase()] },
      ...{ clusters: {}, vrfScopes: {} },
    },
    { now: () => NOW, pageSize },
  );
  onTestFinished(() => source.close());
  const request = { known: new Map(), confirmedHash: null, asked: null, progress: () => {} };
  return (await source.collect(request, new AbortController().signal)).outcome;
}

async function rowsOf(
  server: SimulatedNetbox,
  token = server.token,
  pageSize?: number,
): Promise<readonly Declaration[]> {
  const outcome = await readBy(server, token, pageSize);
  if (outcome.kind !== 'observed') throw new Error(`${outcome.kind}: ${outcome.reason}`);
  expect(outcome.value.problems).toEqual([]);
  return outcome.value.rows;
}

/** What does not depend on which server it came from, nor on what a version has no word for. */
function compared(rows: readonly Declaration[], url: string) {
  const plain = rows.map((row) => ({ ...row, location: row.location.replace(url, '') }));
  return plain.map((row) => (row.kind === 'vm' ? { ...row, disk: null, status: null } : row));
}

describe('the NetBox that the product reads', () => {
  it('says the same in every version', async () => {
    const { model } = declared({}, { vrfs: [{ name: 'nat', bridge: 'vmbr1' }] }).netbox;
    const servers = [];
    for (const version of ['3.7', '4.0', '4.2', '4.6'] as const) servers.push(await netbox({ version, model }));
    const told = [];
    for (const server of servers) told.push(compared(await rowsOf(server), server.url));
    const [first = []] = told;
    expect(first.filter(({ kind }) => kind === 'vm')).toHaveLength(model.vms.all().length);
    for (const other of told.slice(1)) expect(other).toEqual(first);
  });

  it('is read with a token of the second version, and by small pages', async () => {
    const server = await netbox({ version: '4.6' });
    const rows = await rowsOf(server);
    expect(await rowsOf(server, server.tokenV2, 7)).toEqual(rows);
    server.faults.set({ nextElsewhere: true });
    expect(await rowsOf(server, server.tokenV2, 7)).toEqual(rows);
  });

  it('has ties of all three sorts, VLANs, sizes, and addresses of every kind', async () => {
    const { model } = declared({}, { vrfs: [{ name: 'nat', bridge: 'vmbr1' }] }).netbox;
    const rows = await rowsOf(await netbox({ model }));
    const vms = rows.flatMap((row) => (row.kind === 'vm' ? [row] : []));
    const macs = (vm: (typeof vms)[number]) => vm.interfaces.flatMap((one) => one.macs);
    expect(vms.some(({ vmid }) => vmid !== null)).toBe(true);
    expect(vms.some((vm) => vm.vmid === null && macs(vm).length > 0)).toBe(true);
    expect(vms.some((vm) => vm.vmid === null && macs(vm).length === 0)).toBe(true);
    expect(new Set(vms.flatMap(({ interfaces }) => interfaces.map(({ vlan }) => vlan)))).toEqual(
      new Set([null, 20, 30, 40]),
    );
    expect(
      vms.filter(({ cpus, memory, disk }) => cpus !== null && memory !== null && disk !== null).length,
    ).toBeGreaterThan(50);
    const addresses = vms.flatMap((vm) => vm.addresses);
    expect(addresses.some(({ dynamic }) => dynamic)).toBe(true);
    expect(addresses.some(({ scope }) => scope === 'nat')).toBe(true);
    const loose = rows.flatMap((row) => (row.kind === 'address' ? [row] : []));
    expect(loose.some(({ virtual }) => virtual)).toBe(true);
    expect(loose.some(({ reserved }) => reserved)).toBe(true);
    expect(rows.filter(({ kind }) => kind === 'device')).toHaveLength(5);
    expect(rows.filter(({ kind }) => kind === 'prefix')).toHaveLength(5);
  });

  it.each([
    ['a token that has expired', { tokenExpired: true }, /Token expired/],
    ['a page of its list that fails', { paths: [{ match: 'interfaces.*id__gt', does: 'error' }] }, /500/],
    ['a page of another kind', { loginPage: true }, /page/],
  ] as const)('is unreachable with %s, not smaller', async (_, faults, reason) => {
    const server = await netbox();
    server.faults.set(faults);
    expect(await readBy(server, server.token, 20)).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(reason),
    });
  });
});
