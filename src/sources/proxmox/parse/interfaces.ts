import { compareAddresses, type IpAddress, ipWithPrefix } from '../../../domain/address.js';
import type { GuestInterfaceReading, GuestInterfaces } from '../../../domain/guest.js';
import { macAddress } from '../../../domain/mac.js';
import { type WireObject, wireInteger, wireObject, wireObjects, wireText } from '../../wire-values.js';
import { wantedKeys } from './wanted-json.js';

/** The keys that are read of it, in its envelope. */
export const INTERFACE_KEYS = wantedKeys(
  ...['data', 'result', 'error', 'class', 'desc', 'name', 'hardware-address', 'hwaddr', 'inet', 'inet6'],
  ...['ip-addresses', 'ip-address', 'prefix'],
);

export type Interfaces =
  | { readonly kind: 'read'; readonly value: GuestInterfaces }
  /** A container that does not run answers null. */
  | { readonly kind: 'stopped' }
  /** The agent took the call and could not do it: HTTP 200 with `result.error`. */
  | { readonly kind: 'failed'; readonly reason: string };

type Reading = GuestInterfaceReading['addresses'][number];

/** What `/agent/network-get-interfaces` says. */
export function agentInterfaces(content: unknown): Interfaces {
  const result = wireObject(content)?.result;
  const error = wireObject(wireObject(result)?.error);
  if (error !== undefined) {
    const words = [wireText(error.class), wireText(error.desc)].filter((word) => word !== undefined).join(': ');
    return { kind: 'failed', reason: `the guest agent answers with an error: ${words}` };
  }
  const list = wireObjects(result);
  if (list === undefined) return { kind: 'failed', reason: 'the guest agent gave no list of interfaces' };
  return { kind: 'read', value: { by: 'AGENT', interfaces: interfacesOf(list) } };
}

/** What `/lxc/{id}/interfaces` says: up to PVE 8.3 `inet` and `inet6` with one address each, later also the whole list. */
export function containerInterfaces(content: unknown): Interfaces {
  if (content === null || content === undefined) return { kind: 'stopped' };
  const list = wireObjects(content);
  if (list === undefined) return { kind: 'failed', reason: 'the answer is no list of interfaces' };
  return { kind: 'read', value: { by: 'INTERFACES', interfaces: interfacesOf(list) } };
}

function oneInterface(item: WireObject): GuestInterfaceReading {
  const list = wireObjects(item['ip-addresses']);
  const readings =
    list === undefined
      ? [item.inet, item.inet6].flatMap((text) => (wireText(text) ?? '').split(/[\s,]+/)).map(ipWithPrefix)
      : list.map(listedAddress);
  return {
    name: wireText(item.name) ?? '',
    mac: macAddress(wireText(item['hardware-address']) ?? wireText(item.hwaddr) ?? '') ?? null,
    addresses: unique(readings.filter((reading) => reading !== undefined)),
  };
}

function listedAddress(item: WireObject): Reading | undefined {
  const prefix = wireInteger(item.prefix);
  const text = wireText(item['ip-address']) ?? '';
  return (prefix === undefined ? undefined : ipWithPrefix(`${text}/${prefix}`)) ?? ipWithPrefix(text);
}

function unique(readings: readonly Reading[]): readonly Reading[] {
  const byAddress = new Map<IpAddress, Reading>();
  for (const reading of readings) if (!isLoopback(reading.address)) byAddress.set(reading.address, reading);
  return [...byAddress.values()].sort((a, b) => compareAddresses(a.address, b.address));
}

/** Without the loopback (`lo`, Windows' `Loopback Pseudo-Interface 1`), in an order that does not depend on the answer's. */
function interfacesOf(list: readonly WireObject[]): readonly GuestInterfaceReading[] {
  return list
    .filter(({ name }) => name !== 'lo' && !/^loopback/i.test(wireText(name) ?? ''))
    .map(oneInterface)
    .sort((a, b) => compareText(a.name, b.name) || compareText(a.mac ?? '', b.mac ?? ''));
}

function isLoopback(address: IpAddress): boolean {
  return address === '::1' || address.startsWith('127.');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
