import { ipAddress } from '../../src/domain/address.js';
import type {
  HardwarePart,
  HardwareSection,
  NpmProxyHost,
  ObservedRecord,
  ProxyTarget,
  SmartVerdict,
  UnifiDevice,
} from '../../src/domain/record.js';
import type { Served } from './domain-run.js';
import { ip, mac } from './view.js';

interface NeighbourWish {
  readonly address: string;
  readonly mac: string;
  /** When it was last REACHABLE; null: it is only remembered. */
  readonly seenAt: number | null;
  readonly device?: string;
  readonly secondHand?: boolean;
}

/** What a host's neighbour table says at one look. */
export function neighbours(host: string, ...wishes: readonly NeighbourWish[]): Served {
  const records = wishes.map((wish): ObservedRecord => {
    const { device = 'vmbr0', secondHand = false, seenAt } = wish;
    const body = { host, address: ip(wish.address), mac: mac(wish.mac), device, router: false, secondHand };
    return { kind: 'neighbour', key: `${device}/${wish.address}`, seenAt, body };
  });
  return { records, complete: ['neighbour'] };
}

interface UnifiWish {
  readonly clients?: readonly {
    readonly mac: string;
    readonly address: string | null;
    readonly seenAt: number | null;
    readonly port?: readonly [string, number];
  }[];
  readonly devices?: readonly (Pick<UnifiDevice, 'kind'> & {
    readonly mac: string;
    readonly address?: string;
    readonly name?: string;
    readonly ports?: readonly { readonly index: number; readonly lldpName: string }[];
  })[];
  readonly networks?: readonly {
    readonly gateway?: string;
    readonly dhcp?: readonly [string, string];
    readonly enabled?: boolean;
  }[];
}

export function unifi({ clients = [], devices = [], networks = [] }: UnifiWish): Served {
  return {
    records: [
      ...clients.map(
        ({ mac: text, address, seenAt, port }): ObservedRecord => ({
          kind: 'unifi.client',
          key: mac(text),
          seenAt,
          body: {
            ...{ mac: mac(text), address: address === null ? null : ip(address), name: null, hostname: null },
            ...{ network: null, vlan: null, wired: true, accessPointMac: null, essid: null, fixedAddress: null },
            switchMac: port === undefined ? null : mac(port[0]),
            switchPort: port?.[1] ?? null,
          },
        }),
      ),
      ...devices.map(
        ({ kind, mac: text, address, name = null, ports = [] }): ObservedRecord => ({
          kind: 'unifi.device',
          key: mac(text),
          seenAt: null,
          body: {
            ...{ kind, mac: mac(text), name, address: address === undefined ? null : ip(address), model: null },
            ...{ version: null, state: 'CONNECTED' as const, uplink: null },
            ports: ports.map((one) => ({
              ...{ name: null, up: true, speedMbps: null, isUplink: false, poe: null, nativeVlan: null },
              ...one,
            })),
          },
        }),
      ),
      ...networks.map(
        ({ gateway, dhcp, enabled = true }, i): ObservedRecord => ({
          kind: 'unifi.network',
          key: `net${i}`,
          seenAt: null,
          body: {
            ...{ id: `net${i}`, name: `net${i}`, purpose: 'corporate', vlan: null, prefix: null, enabled },
            gateway: gateway === undefined ? null : ip(gateway),
            dhcp: dhcp === undefined ? null : { from: ip(dhcp[0]), to: ip(dhcp[1]) },
          },
        }),
      ),
    ],
    complete: ['unifi.client', 'unifi.device', 'unifi.network'],
  };
}

/** `10.0.0.5:80`, `web.lan:8080`, `[fd00::5]:443`. */
export function target(text: string): ProxyTarget {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { scheme: 'http', host, address: ipAddress(host) ?? null, port: Number(text.slice(colon + 1)) };
}

interface NpmWish {
  readonly hosts?: readonly (Partial<Omit<NpmProxyHost, 'target' | 'locations'>> & {
    readonly id: number;
    readonly target: string;
    /** Targets by path. */
    readonly locations?: Readonly<Record<string, string>>;
  })[];
  readonly certificates?: readonly {
    readonly id: number;
    readonly notAfter: number | null;
    readonly domainNames?: readonly string[];
  }[];
}

export function npm({ hosts = [], certificates = [] }: NpmWish): Served {
  return {
    records: [
      ...hosts.map(
        ({ id, target: to, locations = {}, ...more }): ObservedRecord => ({
          kind: 'npm.proxy_host',
          key: String(id),
          seenAt: null,
          body: {
            ...{
              id,
              domainNames: [`host${id}.example.org`],
              enabled: true,
              certificateId: null,
              sslForced: false,
              error: null,
            },
            ...more,
            target: target(to),
            locations: Object.entries(locations).map(([path, text]) => ({ path, target: target(text) })),
          },
        }),
      ),
      ...certificates.map(
        ({ id, notAfter, domainNames = [`host${id}.example.org`] }): ObservedRecord => ({
          kind: 'npm.certificate',
          key: String(id),
          seenAt: null,
          body: { id, provider: 'letsencrypt', name: `certificate ${id}`, domainNames, notAfter },
        }),
      ),
    ],
    complete: ['npm.proxy_host', 'npm.certificate'],
  };
}

export function aPart(section: HardwareSection, place: string, more: Partial<HardwarePart> = {}): HardwarePart {
  return { section, place, vendor: null, model: null, serial: null, sizeBytes: null, detail: null, ...more };
}

interface MachineWish {
  readonly parts?: readonly HardwarePart[];
  /** By default those that have parts. */
  readonly sections?: readonly HardwareSection[];
  readonly disks?: Readonly<Record<string, SmartVerdict>>;
}

/** The hardware of nodes at one look: a node that is not named could not be read. */
export function hardware(machines: Readonly<Record<string, MachineWish>>): Served {
  const records = Object.entries(machines).flatMap(([node, { parts = [], sections, disks }]): ObservedRecord[] => {
    const own = sections ?? [...new Set(parts.map(({ section }) => section))];
    const report = { by: 'SSH' as const, sections: own, parts };
    const health = Object.entries(disks ?? {}).map(([disk, verdict]) => ({
      ...{ disk, verdict, device: '/dev/sda', model: 'Model', lifeLeftPercent: 12 },
      counters: ['reallocated sectors: 8'],
    }));
    return [
      { kind: 'hardware', key: node, seenAt: null, body: report },
      ...(disks === undefined
        ? []
        : [{ kind: 'hardware.health' as const, key: node, seenAt: null, body: { by: 'SSH' as const, disks: health } }]),
    ];
  });
  return { records, complete: ['hardware', 'hardware.health'], nodes: Object.keys(machines) };
}
