import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { heldAgainstConfig, vmRows, type Word } from './config-word.js';
import { guestSubject } from './telling.js';
import { devicesOf } from './vm-devices.js';
import { AGREED, AGREES, DOUBT, type Rule, sinceOf } from './world.js';

/** A device's VLAN tag that is another one than its interface has in the inventory; both sides must say one. */
export const vlanDiffers: Rule = {
  kind: 'VLAN_DIFFERS',

  *candidates(_, restless) {
    for (const { guest, rows } of restless) {
      if (rows.every(({ vm }) => vm === undefined)) continue;
      for (const { key, vlan } of guest.config?.devices ?? [])
        if (vlan !== null) yield { subject: guestSubject(guest), field: key };
    }
  },

  agreement({ guest, rows }) {
    const tagged = (guest.config?.devices ?? []).filter(({ vlan }) => vlan !== null);
    if (tagged.length === 0 || rows.every(({ vm }) => vm === undefined)) return AGREED;
    if ((guest.parts.config.askedAt ?? 0) < sinceOf(rows.map(({ row }) => row.since))) return undefined;
    return tagged.every(({ key }) => wordsOn(guest, rows, key)[0]?.isSo !== false) ? AGREED : undefined;
  },

  judge(world, subject, field) {
    const guest = world.view.guests.get(subject.id);
    if (guest === undefined) return AGREES;
    if (guest.config === null) return DOUBT;
    const device = guest.config.devices.find(({ key }) => key === field);
    return heldAgainstConfig(world, guest, wordsOn(guest, world.binding.byGuest.get(guest.id) ?? [], field), {
      kind: 'VLAN_DIFFERS',
      field,
      called: `the VLAN of ${field}`,
      observed: device === undefined || device.vlan === null ? null : String(device.vlan),
      changed: guest.changed.config,
    });
  },
};

function wordsOn(guest: GuestView, rows: readonly Row[], field: string): readonly Word[] {
  return vmRows(rows).flatMap((row): readonly Word[] => {
    const pairs = row.vm === undefined ? [] : devicesOf(row.vm, guest.config?.devices ?? []);
    const pair = pairs.find(({ device }) => device.key === field);
    if (pair === undefined || pair.vlan === null) return [];
    return [{ row, value: String(pair.vlan), isSo: pair.vlan === pair.device.vlan }];
  });
}
