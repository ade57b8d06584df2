import type { GuestView } from '../view.js';
import { heldAgainstConfig, vmRows, type Word } from './config-word.js';
import { devicesOf } from './vm-devices.js';
import { AGREES, DOUBT, guestSubject, type Rule, type World } from './world.js';

/** A device's VLAN tag that is another one than its interface has in the inventory; both sides must say one. */
export const vlanDiffers: Rule = {
  kind: 'VLAN_DIFFERS',

  *candidates(world) {
    for (const [id, rows] of world.binding.byGuest) {
      const guest = rows.some(({ vm }) => vm !== undefined) ? world.view.guests.get(id) : undefined;
      if (guest === undefined) continue;
      for (const { key, vlan } of guest.config?.devices ?? [])
        if (vlan !== null) yield { subject: guestSubject(guest), field: key };
    }
  },

  judge(world, subject, field) {
    const guest = world.view.guests.get(subject.id);
    if (guest === undefined) return AGREES;
    if (guest.config === null) return DOUBT;
    const device = guest.config.devices.find(({ key }) => key === field);
    return heldAgainstConfig(world, guest, wordsOn(world, guest, field), {
      kind: 'VLAN_DIFFERS',
      field,
      called: `the VLAN of ${field}`,
      observed: device === undefined || device.vlan === null ? null : String(device.vlan),
      changed: guest.changed.config,
    });
  },
};

function wordsOn(world: World, guest: GuestView, field: string): readonly Word[] {
  return vmRows(world, guest).flatMap((row): readonly Word[] => {
    const pairs = row.vm === undefined ? [] : devicesOf(row.vm, guest.config?.devices ?? []);
    const pair = pairs.find(({ device }) => device.key === field);
    if (pair === undefined || pair.vlan === null) return [];
    return [{ row, value: String(pair.vlan), isSo: pair.vlan === pair.device.vlan }];
  });
}
