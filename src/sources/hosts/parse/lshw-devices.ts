import { macAddress } from '../../../domain/mac.js';
import type { HardwarePart } from '../../../domain/record.js';
import { part } from '../../hardware/part-list.js';
import { wireObject } from '../../wire-values.js';
import { type TreeNode, wordsOf } from './lshw-tree.js';

/** Drivers of interfaces that are made by software: bridges, bonds, the ends of guests' cables. */
const SOFTWARE =
  /^(?:veth|tun|tap|bridge|bonding|team|dummy|ifb|vxlan|geneve|gre|macvlan|macvtap|ipvlan|openvswitch|wireguard|802\.1q.*)$/i;
/** Drivers of the functions that a card lends to guests: made and unmade while the machine runs. */
const LENT = /(?:vf|^iavf|^mana_vf)$/i;

function pciAddress({ row }: TreeNode): string | undefined {
  return typeof row.businfo === 'string' ? /^pci@(.+)$/.exec(row.businfo)?.[1] : undefined;
}

function driverOf({ row }: TreeNode): string {
  const driver = wireObject(row.configuration)?.driver;
  return typeof driver === 'string' ? driver : '';
}

function isLent(node: TreeNode): boolean {
  return LENT.test(driverOf(node)) || /virtual function/i.test(String(node.row.product ?? ''));
}

/** Network cards by their place on the bus, with the MAC as detail. Interfaces' names may change, and are left out. */
export function networkCards(nodes: readonly TreeNode[]): readonly HardwarePart[] {
  const network = nodes.filter(({ kind }) => kind === 'network');
  // A card of a virtual machine stands above its interface; the interface has the MAC.
  const above = new Set(network.map(({ parent }) => parent).filter((parent) => parent?.kind === 'network'));
  return network.flatMap((node) => {
    if (above.has(node) || isLent(node)) return [];
    const place = placeOf(node);
    if (place === undefined) return [];
    const card = node.parent !== undefined && above.has(node.parent) ? node.parent : node;
    const { vendor, model } = wordsOf(card);
    return [part('network', place, { vendor, model, detail: macOf(node) })];
  });
}

function placeOf(node: TreeNode): string | undefined {
  const address = pciAddress(node) ?? (node.parent?.kind === 'network' ? pciAddress(node.parent) : undefined);
  if (address !== undefined) return address;
  const { businfo, logicalname, capabilities } = node.row;
  if (typeof businfo === 'string' && businfo !== '') return businfo;
  // Soldered on and on no bus that lshw knows: physical, and with a driver of its own.
  const driver = driverOf(node);
  const isPhysical = wireObject(capabilities)?.physical !== undefined && driver !== '' && !SOFTWARE.test(driver);
  const [name] = [logicalname].flat();
  return isPhysical && typeof name === 'string' ? name : undefined;
}

/** Members of a bond all show the bond's MAC, which is one of theirs, but not always the same one's. */
function macOf({ row }: TreeNode): string | null {
  if (wireObject(row.configuration)?.slave === 'yes' || typeof row.serial !== 'string') return null;
  return macAddress(row.serial) ?? null;
}

/** Every other device with a PCI address that is no bridge, as Proxmox lists them too. */
export function otherPciDevices(nodes: readonly TreeNode[]): readonly HardwarePart[] {
  return nodes.flatMap((node) => {
    const place = pciAddress(node);
    if (place === undefined || isLent(node) || /^(?:bridge|memory|processor|network)$/.test(node.kind)) return [];
    const { vendor, model } = wordsOf(node);
    return [part('pci', place, { vendor, model, detail: node.kind || null })];
  });
}
