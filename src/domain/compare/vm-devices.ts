import type { VmDeclaration } from '../declaration.js';
import type { NetworkDevice } from '../guest.js';

export interface DeclaredDevice {
  readonly device: NetworkDevice;
  readonly vlan: number | null;
}

/**
 * Which interface of a declared VM stands for which `netN` of its guest: the one that bears its MAC, else the one of its
 * name, else the only one on both sides. An interface stands for one device at most, and a device for one interface.
 */
export function devicesOf(vm: VmDeclaration, devices: readonly NetworkDevice[]): readonly DeclaredDevice[] {
  const paired: DeclaredDevice[] = [];
  let left = [...vm.interfaces];
  const take = (device: NetworkDevice, found: VmDeclaration['interfaces'][number] | undefined) => {
    if (found === undefined) return false;
    left = left.filter((one) => one !== found);
    paired.push({ device, vlan: found.vlan });
    return true;
  };
  const byMac = ({ mac }: NetworkDevice) => (mac === null ? undefined : left.find(({ macs }) => macs.includes(mac)));
  const byName = ({ key }: NetworkDevice) => left.find(({ name }) => name.trim().toLowerCase() === key);
  const unmatched = devices.filter((device) => !take(device, byMac(device))).filter((one) => !take(one, byName(one)));
  const [only] = unmatched;
  if (devices.length === 1 && vm.interfaces.length === 1 && only !== undefined) take(only, left[0]);
  return paired;
}
