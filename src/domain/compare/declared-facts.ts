import { familyOf } from '../address.js';
import type { DeclaredFact } from '../finding.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { declaredSizeText } from './sizes.js';
import { speaksOf } from './spoken.js';
import { devicesOf } from './vm-devices.js';

/** Everything that the rows of a guest say of it, in precedence; of each field the first one wins. */
export function declaredFacts(rows: readonly Row[], guest: GuestView | undefined): readonly DeclaredFact[] {
  const list: DeclaredFact[] = [];
  const winner = new Map<string, string>();
  const add = (row: Row, field: string, value: string, by: string) => {
    const wins = !winner.has(field) || winner.get(field) === by;
    if (wins) winner.set(field, by);
    list.push({ field, value, source: row.source.name, location: row.row.location, wins });
  };
  for (const row of rows) {
    const by = `${row.source.name}:${row.row.key}`;
    if (row.row.name !== null && speaksOf(row, 'name')) add(row, 'name', row.row.name, by);
    if (row.row.node !== null && speaksOf(row, 'node')) add(row, 'node', row.row.node, by);
    if (row.row.status !== null && speaksOf(row, 'status')) add(row, 'status', row.row.status.word, by);
    if (speaksOf(row, 'addresses')) {
      // Declared addresses of one family are a set: all that the winning source names win together.
      const addresses = row.vm === undefined ? row.row.addresses : row.vm.addresses.map(({ address }) => address);
      for (const address of addresses) add(row, `address${familyOf(address)}`, address, row.source.name);
    }
    for (const { field, value } of vmFacts(row, guest)) add(row, field, value, by);
  }
  return list;
}

/** What only a source that keeps VMs says: the VLAN of each device, and the sizes. */
function vmFacts({ vm, row }: Row, guest: GuestView | undefined): readonly { field: string; value: string }[] {
  if (vm === undefined || row.status?.means === 'retired') return [];
  const vlans = devicesOf(vm, guest?.config?.devices ?? []).flatMap(({ device, vlan }) =>
    vlan === null ? [] : [{ field: device.key, value: String(vlan) }],
  );
  const { cpus, memory, disk } = vm;
  return [
    ...vlans,
    ...(cpus === null ? [] : [{ field: 'cpus', value: String(cpus) }]),
    ...(memory === null ? [] : [{ field: 'memory', value: declaredSizeText(memory) }]),
    ...(disk === null ? [] : [{ field: 'disk', value: declaredSizeText(disk) }]),
  ];
}
