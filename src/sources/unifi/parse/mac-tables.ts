import type { Mac } from '../../../domain/mac.js';
import type { LearnedMac, ReadDevice } from './devices.js';

/** Where a switch learned a MAC that plugs into it and not into one behind it. */
export interface Place extends LearnedMac {
  readonly switchMac: Mac;
}

/**
 * The MACs behind the edge of the network, each on its port:
 *
 *     gateway ── 2 switch A 5 ── 1 switch B 3 ── host with its guests
 *
 * All that is behind B was learned by A too, on port 5, and on B's uplink what is behind A: neither is where it plugs in.
 */
export function edgeMacs(devices: readonly ReadDevice[]): ReadonlyMap<Mac, Place> {
  const ours = new Set(devices.flatMap(({ ownMacs }) => ownMacs));
  const inner = innerPorts(devices, ours);
  const places = new Map<Mac, { readonly place: Place; readonly crowd: number }>();
  for (const { body, learned } of devices) {
    // The table of an access point shows what its switch sends it.
    if (body.kind !== 'switch' && body.kind !== 'gateway') continue;
    const crowds = new Map<number, number>();
    for (const { port } of learned) crowds.set(port, (crowds.get(port) ?? 0) + 1);
    for (const each of learned) {
      if (ours.has(each.mac) || inner.has(`${body.mac} ${each.port}`)) continue;
      const crowd = crowds.get(each.port) ?? 1;
      // Between two that both claim it, the port with fewer on it is nearer to it.
      const before = places.get(each.mac);
      if (before !== undefined && before.crowd <= crowd) continue;
      places.set(each.mac, { place: { ...each, switchMac: body.mac }, crowd });
    }
  }
  return new Map([...places].map(([mac, { place }]) => [mac, place]));
}

/** `mac port` of the ports that lead to another of our devices, or out to the provider. */
function innerPorts(devices: readonly ReadDevice[], ours: ReadonlySet<Mac>): ReadonlySet<string> {
  const inner = new Set<string>();
  for (const { body, downlinks, heard } of devices) {
    const { mac, uplink, ports } = body;
    for (const port of ports) if (port.isUplink || isWan(port.name)) inner.add(`${mac} ${port.index}`);
    for (const port of downlinks) inner.add(`${mac} ${port}`);
    for (const each of heard) if (ours.has(each.mac)) inner.add(`${mac} ${each.port}`);
    if (uplink !== null && uplink.port !== null) inner.add(`${uplink.mac} ${uplink.port}`);
  }
  return inner;
}

function isWan(name: string | null): boolean {
  return name !== null && /^wan\b/i.test(name);
}
