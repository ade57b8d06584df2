import type { ServiceSource } from '../../src/collection/service.js';
import { DAY, type Instant, SECOND } from '../../src/domain/time.js';
import type { ServiceKind } from '../../src/domain/version.js';
import type { Served } from './domain-run.js';
import { neighbours, npm, unifi } from './domain-services.js';
import type { Estate } from './estate-model.js';

/** What a proxy host truly does. */
interface ProxyHost {
  readonly to: string;
  readonly enabled: boolean;
}

/** What there truly is around an estate: a proxy, and who answers on its wires besides the guests. */
export class Surroundings {
  readonly proxyHosts = new Map<number, ProxyHost>();
  certificateEnds: Instant;
  /** Strangers' MACs, by the address that they answer for. */
  readonly strangers = new Map<string, string>();

  constructor(now: Instant) {
    this.certificateEnds = now + 60 * DAY;
  }
}

/** Who tells of it, with the collector it belongs to. */
export const OBSERVERS: readonly { readonly kind: ServiceKind; readonly name: string; readonly cluster: string }[] = [
  { kind: 'npm', name: 'edge', cluster: '' },
  { kind: 'unifi', name: 'campus', cluster: '' },
  { kind: 'ip_neigh', name: 'main/pve1', cluster: 'main' },
];

/** What a service answers at one look, by a clock that may be wrong; undefined: nothing. */
export function serviceOf(look: () => { readonly at: Instant; readonly served: Served | undefined }): ServiceSource {
  return {
    collect: async () => {
      const { at, served } = look();
      if (served === undefined) return { kind: 'unreachable', at, reason: 'connect ECONNREFUSED', requests: 1 };
      return { kind: 'observed', at, value: { askedAt: at, nodes: null, ...served, notes: [] }, requests: 2 };
    },
    close: async () => {},
  };
}

/** What there is to see, as one of them tells it. A host that is down tells nothing. */
export function told(name: string, estate: Estate, around: Surroundings, at: Instant): Served | undefined {
  switch (name) {
    case 'edge':
      return proxied(around);
    case 'campus':
      return listed(estate, around, at - SECOND);
    default:
      return estate.cluster('main').nodes.get('pve1')?.online === true ? heard(estate, around, at - SECOND) : undefined;
  }
}

function proxied({ proxyHosts, certificateEnds }: Surroundings): Served {
  return npm({
    hosts: [...proxyHosts].map(([id, { to, enabled }]) => ({ id, enabled, target: `${to}:80`, certificateId: 5 })),
    certificates: [{ id: 5, notAfter: certificateEnds }],
  });
}

/** The addresses of running guests, with the MAC that has them. */
function* answering(estate: Estate): Iterable<readonly [string, string]> {
  for (const { power, devices, node, cluster } of estate.guests.values()) {
    if (power !== 'RUNNING' || estate.cluster(cluster).nodes.get(node)?.online !== true) continue;
    for (const { mac, shows } of devices) for (const address of shows) yield [address, mac];
  }
}

/** A neighbour table has one MAC an address: that of who answered last. */
function heard(estate: Estate, { strangers }: Surroundings, seenAt: Instant): Served {
  const table = new Map([...answering(estate), ...strangers]);
  return neighbours('pve1', ...[...table].map(([address, mac]) => ({ address, mac, seenAt })));
}

/** A controller has one address a MAC. */
function listed(estate: Estate, { strangers }: Surroundings, seenAt: Instant): Served {
  const clients = new Map<string, string>();
  for (const [address, mac] of [...answering(estate), ...strangers]) clients.set(mac, address);
  return unifi({ clients: [...clients].map(([mac, address]) => ({ mac, address, seenAt })) });
}
