import type { Estate } from './estate.js';
import type { Guest, Nic } from './guest.js';
import { type PlantedDrift, placeOf } from './plant.js';
import { hashOf, seeded, shuffled } from './random.js';
import { OFFICE, octets, type UnifiGear, type UnifiNetworkModel, unifiGear, VISITORS } from './unifi-gear.js';

/** Somebody on the network as the controller knows it. */
export interface UnifiClientModel {
  readonly mac: string;
  /** null: it has not heard of one. */
  readonly address: string | null;
  readonly hostname: string | null;
  /** What somebody called it at the controller. */
  readonly name: string | null;
  readonly network: UnifiNetworkModel | null;
  readonly vlan: number | null;
  readonly at:
    | { readonly kind: 'port'; readonly switchMac: string; readonly port: number }
    | { readonly kind: 'wifi'; readonly apMac: string; readonly essid: string };
  /** It always gets this one. */
  readonly fixed: string | null;
  /** So quiet that no list has it: only the switch has learned its MAC. */
  readonly isQuiet: boolean;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly seenAt: number;
}

export interface UnifiModelNeeds {
  readonly estates: readonly Estate[];
  readonly seed: number;
  readonly now: () => number;
  /** `cluster/vmid` of guests that something else is planted on. */
  readonly untouchable?: ReadonlySet<string>;
}

export interface Stranger {
  readonly mac: string;
  readonly address: string;
  /** `cluster/vmid` of the guest whose address it is. */
  readonly place: string;
}

/** Another maker's than any guest's, node's or device's. */
const STRANGE_MAC = `d8:3a:dd:${octets(hashOf('stranger'))}`;

/** A site's controller: its gear stands, its clients are the estates' nodes and guests as they are at the moment. */
export class UnifiModel {
  readonly gear: UnifiGear;
  readonly planted: readonly PlantedDrift[];
  readonly stranger: Stranger | null;
  readonly #needs: UnifiModelNeeds;
  readonly #byStart: ReadonlyMap<string, UnifiNetworkModel>;
  /** Who was ever connected while somebody looked: a controller does not forget either. */
  readonly #known = new Map<string, UnifiClientModel>();
  #lists: { readonly key: string; readonly connected: readonly UnifiClientModel[] } | undefined;

  constructor(needs: UnifiModelNeeds) {
    this.#needs = needs;
    this.gear = unifiGear(needs.estates);
    this.#byStart = new Map(
      this.gear.networks.flatMap((network) =>
        network.subnet?.length === 16 ? [[startOf(network.subnet.gateway), network] as const] : [],
      ),
    );
    this.stranger = strangerOf(needs);
    const { address } = this.stranger ?? {};
    this.planted = address === undefined ? [] : [{ kind: 'ADDRESS_ANSWERED_BY_OTHER', subject: address, field: '' }];
  }

  /** Those who are there now. */
  connected(): readonly UnifiClientModel[] {
    const { estates, now } = this.#needs;
    const second = Math.floor(now() / 1000);
    const key = [second, ...estates.map(({ revision }) => revision)].join();
    if (this.#lists?.key === key) return this.#lists.connected;
    const clients = new Map<string, UnifiClientModel>();
    for (const client of this.#everybody()) if (!clients.has(client.mac)) clients.set(client.mac, client);
    for (const client of clients.values()) this.#known.set(client.mac, client);
    const connected = [...clients.values()];
    this.#lists = { key, connected };
    return connected;
  }

  /** All that it remembers, those of now among them. */
  known(): readonly UnifiClientModel[] {
    this.connected();
    for (const { estate, guest } of this.#guests()) {
      // It was seen when it was started, for the last time that anybody knows.
      for (const client of this.#ofGuest(estate, guest))
        if (!this.#known.has(client.mac)) this.#known.set(client.mac, { ...client, seenAt: guest.startedAt });
    }
    return [...this.#known.values()];
  }

  *#everybody(): Generator<UnifiClientModel> {
    if (this.stranger !== null) yield this.#strange(this.stranger);
    for (const estate of this.#needs.estates) yield* this.#nodesOf(estate);
    for (const { estate, guest } of this.#guests()) {
      const isThere = guest.power !== 'stopped' && estate.node(guest.node)?.state !== 'offline';
      if (isThere) yield* this.#ofGuest(estate, guest);
    }
    yield* this.#people();
  }

  #guests() {
    const all = this.#needs.estates.flatMap((estate) => estate.guests().map((guest) => ({ estate, guest })));
    return all.filter(({ guest }) => !guest.template);
  }

  *#nodesOf(estate: Estate): Generator<UnifiClientModel> {
    for (const node of estate.nodes()) {
      const place = this.gear.places.get(`${estate.name}/${node.name}`);
      const [port] = estate.machines.of(node.name).ports;
      if (node.state === 'offline' || place === undefined || port === undefined) continue;
      const { name, ip, startedAt } = node;
      yield this.#client(port.mac, {
        ...{ address: ip, hostname: name, name, network: this.#networkOf(ip) },
        ...{ at: { kind: 'port', ...place }, since: startedAt },
      });
    }
  }

  /** A guest is where its node is plugged in, one client for each of its devices. */
  *#ofGuest(estate: Estate, guest: Guest): Generator<UnifiClientModel> {
    const place = this.gear.places.get(`${estate.name}/${guest.node}`);
    if (place === undefined) return;
    for (const nic of guest.nics) {
      if (nic.linkDown) continue;
      const mac = nic.mac.toLowerCase();
      const luck = hashOf(mac, 'seen') % 40;
      yield this.#client(mac, {
        ...{ at: { kind: 'port', ...place }, since: guest.startedAt, isQuiet: luck === 0 },
        ...{ hostname: luck < 30 ? guest.name : null, vlan: nic.tag },
        ...this.#heardOf(guest, nic, luck),
      });
    }
  }

  /** It tells no more than it heard: of one in twenty no address, and of none that another one answers for. */
  #heardOf(guest: Guest, { v4 }: Nic, luck: number): Pick<UnifiClientModel, 'address' | 'network'> {
    const address = v4?.address ?? null;
    const network = address === null ? null : this.#networkOf(address);
    const isStolen = this.stranger !== null && address === this.stranger.address;
    return { network, address: isStolen || luck === 1 || luck === 2 || guest.power === 'paused' ? null : address };
  }

  *#people(): Generator<UnifiClientModel> {
    const { office } = this.gear;
    const since = this.#needs.now() - 3 * 3_600_000;
    const network = this.#named(OFFICE);
    const at = { kind: 'port', ...office } as const;
    const wired = { at, network, vlan: network?.vlan ?? null, since };
    yield this.#client(`00:11:32:${octets(hashOf('nas'))}`, {
      ...{ ...wired, address: '192.168.10.20', fixed: '192.168.10.20', hostname: 'nas', name: 'NAS' },
    });
    yield this.#client(`3c:2a:f4:${octets(hashOf('printer'))}`, {
      ...wired,
      address: '192.168.10.21',
      hostname: 'BRW3C2AF4',
    });
    for (const [i, [hostname, name, essid]] of WIRELESS.entries()) {
      const home = this.#named(essid);
      const apMac = this.gear.accessPoints[i % 2]?.mac ?? '';
      yield this.#client(`${i % 2 === 0 ? 'a4:83:e7' : '5e:2b:91'}:${octets(hashOf('wifi', i))}`, {
        ...{ at: { kind: 'wifi', apMac, essid }, network: home, vlan: home?.vlan ?? null, since, hostname, name },
        // A phone that sleeps answers for no address.
        address: i === 3 ? null : (home?.subnet?.gateway.replace(/\d+$/, String(100 + i)) ?? null),
      });
    }
  }

  #strange({ mac, address }: Stranger): UnifiClientModel {
    const since = this.#needs.now() - 40 * 60_000;
    const at = { kind: 'port', ...this.gear.office } as const;
    const client = this.#client(mac, {
      address,
      hostname: 'raspberrypi',
      network: this.#networkOf(address),
      at,
      since,
    });
    return { ...client, seenAt: this.#needs.now() };
  }

  #client(mac: string, more: Partial<UnifiClientModel> & Pick<UnifiClientModel, 'at' | 'since'>): UnifiClientModel {
    const seenAt = this.#needs.now() - (hashOf(mac) % 45) * 1000;
    const nothing = {
      address: null,
      hostname: null,
      name: null,
      network: null,
      vlan: null,
      fixed: null,
      isQuiet: false,
    };
    return { mac, ...nothing, seenAt, ...more };
  }

  #named(name: string): UnifiNetworkModel | null {
    return this.gear.networks.find((network) => network.name === name) ?? null;
  }

  #networkOf(address: string): UnifiNetworkModel | null {
    return this.#byStart.get(startOf(address)) ?? null;
  }
}

/** The first two parts of an address tell its network: none here is smaller but those of the office. */
function startOf(address: string): string {
  return address.slice(0, address.indexOf('.', address.indexOf('.') + 1));
}

const WIRELESS: readonly (readonly [string | null, string | null, string])[] = [
  ['ada-laptop', 'Ada', OFFICE],
  ['grace-laptop', null, OFFICE],
  ['Pixel-8', '', OFFICE],
  ['iPhone', null, OFFICE],
  [null, null, VISITORS],
];

/** Somebody put a machine on the network with the address of a guest: one that runs, and that says itself that it has it. */
function strangerOf({ estates, seed, untouchable }: UnifiModelNeeds): Stranger | null {
  const all = estates.flatMap((estate) => estate.guests().map((guest) => ({ estate, guest })));
  const fit = shuffled(seeded(seed, 'unifi'), all).find(({ estate, guest }) => {
    const { kind, agent, template, lock, ha, power, nics } = guest;
    const isSeen = kind === 'lxc' || agent === 'alive';
    const isCalm = !template && lock === null && ha === null && power === 'running';
    return isSeen && isCalm && nics[0]?.v4?.by === 'config' && untouchable?.has(placeOf(estate, guest.vmid)) !== true;
  });
  const address = fit?.guest.nics[0]?.v4?.address;
  if (fit === undefined || address === undefined) return null;
  return { mac: STRANGE_MAC, address, place: placeOf(fit.estate, fit.guest.vmid) };
}
