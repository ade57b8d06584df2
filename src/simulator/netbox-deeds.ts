import type { NetboxModel, NetboxVm } from './netbox-model.js';

type Deed = (model: NetboxModel, vm: NetboxVm, body: Readonly<Record<string, unknown>>) => void;

/** What somebody may do to a VM of a simulated NetBox by an admin call. */
const DEEDS: Readonly<Record<string, Deed>> = {
  rename: (model, { id }, body) => model.renameVm(id, textIn(body, 'name')),
  delete: (model, { id }) => model.deleteVm(id),
  setAddress: (model, { id }, body) => {
    model.setAddress(id, textIn(body, 'address'));
  },
  setVlan: (model, { id }, body) =>
    model.setVlan(id, textIn(body, 'device'), body.vlan === null ? null : numberIn(body, 'vlan')),
  setMemory: (model, { id }, body) => {
    model.vms.edit(id, { memoryMb: numberIn(body, 'memory') });
  },
  setVmid: (model, { id }, body) => {
    model.vms.edit(id, { vmid: body.to === null ? null : numberIn(body, 'to') });
  },
};

/** `{deed, id | cluster and vmid, …}`: ids are NetBox's own. What is missing or makes no sense throws, by name. */
export function netboxDeed(model: NetboxModel, body: Readonly<Record<string, unknown>>): void {
  const deed = typeof body.deed === 'string' && Object.hasOwn(DEEDS, body.deed) ? DEEDS[body.deed] : undefined;
  if (deed === undefined) throw new Error(`deed: give one of ${Object.keys(DEEDS).join(', ')}`);
  const vm =
    body.id === undefined
      ? model.vmOf(textIn(body, 'cluster'), numberIn(body, 'vmid'))
      : model.vms.get(numberIn(body, 'id'));
  deed(model, vm, body);
}

function numberIn(body: Readonly<Record<string, unknown>>, field: string): number {
  const value = body[field];
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Error(`${field}: give a whole number`);
  return value;
}

function textIn(body: Readonly<Record<string, unknown>>, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || !/^[\w.:/-]{1,64}$/.test(value)) throw new Error(`${field}: give a text`);
  return value;
}
