import { familyOf, type IpAddress } from './address.js';
import type { Binding } from './compare/binding.js';
import { sameName } from './compare/names.js';
import type { GuestId } from './guest.js';
import { type Mac, macAddress } from './mac.js';
import type { KeptRecord, NpmProxyHost, ProxyTarget, UnifiClient } from './record.js';
import { sightingsOf } from './sightings.js';
import type { Instant } from './time.js';
import type { GuestView, InventoryView, NodeView } from './view.js';

/** How sure a link is: seen to be so, only written or called so, or not there. */
export type Confidence = 'observed' | 'declared' | 'missing';

/** One public host name on its way: proxy → address:port → guest → node → switch port. */
export interface JoinedPort {
  readonly publicHostname: string;
  readonly proxy: {
    /** Subject id of the proxy host: `edge-proxy/5`. */
    readonly id: string;
    readonly source: string;
    /** The location that goes elsewhere than the host itself; null: the host itself. */
    readonly path: string | null;
    readonly forwardHost: string;
    readonly forwardPort: number;
    /** When the proxy was last read. */
    readonly collectedAt: Instant | null;
  };
  readonly lan: {
    readonly address: IpAddress | null;
    readonly guest: GuestId | null;
    /** `cluster/node`: the guest's, or the node itself where it is the target. */
    readonly node: string | null;
    readonly confidence: Confidence;
  };
  readonly switch: {
    readonly source: string | null;
    /** The switch's MAC. */
    readonly device: Mac | null;
    readonly name: string | null;
    readonly port: number | null;
    /** When the switch last saw who is plugged in there. */
    readonly seenAt: Instant | null;
    /** Never surer than the way to the machine that is plugged in. */
    readonly confidence: Confidence;
  };
}

const joinedIn = new WeakMap<InventoryView, readonly JoinedPort[]>();

/**
 * The rows of the port map that evidence gives, sorted by public name: one for each name of each enabled proxy host, and one
 * more for each location that goes elsewhere. Streams and redirections have no public name that leads to a guest. What an
 * unreachable service said last is joined all the same; how old it is, its state tells.
 */
export function joinedPortMap(view: InventoryView, binding: Binding): readonly JoinedPort[] {
  let rows = joinedIn.get(view);
  if (rows === undefined) {
    const known = new Estate(view, binding);
    rows = [...view.records['npm.proxy_host'].values()]
      .filter(({ source, body }) => body.enabled && view.services.has(source))
      .flatMap((record) => rowsOf(known, record))
      .sort((a, b) => compareText(placeOf(a), placeOf(b)));
    joinedIn.set(view, rows);
  }
  return rows;
}

function placeOf({ publicHostname, proxy }: JoinedPort): string {
  return `${publicHostname}\n${proxy.path ?? ''}\n${proxy.id}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rowsOf(known: Estate, { service, source, key, body }: KeptRecord<NpmProxyHost>): readonly JoinedPort[] {
  const collectedAt = known.view.services.get(source)?.lastSuccessAt ?? null;
  const ways: readonly { path: string | null; target: ProxyTarget }[] = [
    { path: null, target: body.target },
    ...body.locations,
  ];
  return ways.flatMap(({ path, target }) => {
    const machine = known.machineAt(target);
    const lan = {
      address: machine.address,
      guest: machine.guest?.id ?? null,
      node: machine.guest === undefined ? (machine.node?.id ?? null) : nodeOf(machine.guest),
      confidence: machine.confidence,
    };
    const plugged = known.portOf(machine);
    const { host: forwardHost, port: forwardPort } = target;
    const proxy = { id: `${service}/${key}`, source, path, forwardHost, forwardPort, collectedAt };
    return body.domainNames.map((publicHostname) => ({ publicHostname, proxy, lan, switch: plugged }));
  });
}

function nodeOf(guest: GuestView): string {
  return `${guest.cluster}/${guest.row.node}`;
}

/** The machine that a target is, as far as it is known. */
interface Machine {
  readonly address: IpAddress | null;
  readonly guest: GuestView | undefined;
  readonly node: NodeView | undefined;
  readonly confidence: Confidence;
}

const NO_PORT: JoinedPort['switch'] = {
  source: null,
  device: null,
  name: null,
  port: null,
  seenAt: null,
  confidence: 'missing',
};

/** Looks up machines by address, name and MAC in one view. */
class Estate {
  readonly view: InventoryView;
  readonly #binding: Binding;
  readonly #carriers = new Map<IpAddress, { readonly guest: GuestView; readonly scope: string }[]>();
  readonly #clients = new Map<Mac, KeptRecord<UnifiClient>>();
  readonly #nodes = new Map<IpAddress, NodeView>();
  readonly #nodeMacs = new Map<string, Mac[]>();
  /** Declared for a living guest, by address. */
  readonly #declared = new Map<IpAddress, GuestId>();

  constructor(view: InventoryView, binding: Binding) {
    this.view = view;
    this.#binding = binding;
    for (const guest of view.guests.values())
      if (!guest.row.template)
        for (const { address, scope } of guest.carried) push(this.#carriers, address, { guest, scope });
    for (const record of view.records['unifi.client'].values()) this.#addClient(record);
    for (const node of view.nodes.values()) this.#addNode(node);
    for (const { source, cluster, key, body } of view.records.hardware.values())
      if (view.services.has(source))
        for (const { section, serial, detail } of body.parts)
          if (section === 'network')
            for (const mac of [serial, detail].flatMap((text) => (text === null ? [] : (macAddress(text) ?? []))))
              push(this.#nodeMacs, `${cluster}/${key}`, mac);
    for (const declared of binding.declaredAddresses.values())
      for (const {
        address,
        guests: [guest],
      } of declared)
        if (guest !== undefined && !this.#declared.has(address)) this.#declared.set(address, guest);
  }

  /** Of several controllers, the one that saw the client last. */
  #addClient(record: KeptRecord<UnifiClient>): void {
    const { mac, switchMac, switchPort } = record.body;
    if (switchMac === null || switchPort === null || !this.view.services.has(record.source)) return;
    const other = this.#clients.get(mac);
    if (other === undefined || (other.seenAt ?? 0) < (record.seenAt ?? 0)) this.#clients.set(mac, record);
  }

  #addNode(node: NodeView): void {
    if (node.row.ip === null) return;
    if (!this.#nodes.has(node.row.ip)) this.#nodes.set(node.row.ip, node);
    const scope = this.view.clusters.get(node.cluster)?.settings.addressScope ?? 'default';
    for (const { mac } of sightingsOf(this.view).get(`${scope}/${node.row.ip}`) ?? [])
      push(this.#nodeMacs, node.id, mac);
  }

  machineAt({ address, host }: ProxyTarget): Machine {
    if (address === null) return this.#called(host);
    const guest = this.#carrierOf(address);
    if (guest !== undefined) return { address, guest, node: undefined, confidence: 'observed' };
    const node = this.#nodes.get(address);
    if (node !== undefined) return { address, guest: undefined, node, confidence: 'observed' };
    const declared = this.view.guests.get(this.#declared.get(address) ?? '');
    return { address, guest: declared, node: undefined, confidence: declared === undefined ? 'missing' : 'declared' };
  }

  /** One that runs goes before one that does not; the scope that is one for all before others. */
  #carrierOf(address: IpAddress): GuestView | undefined {
    const carriers = this.#carriers.get(address) ?? [];
    const rank = ({ guest, scope }: (typeof carriers)[number]) =>
      (scope === 'default' ? 0 : 2) + (guest.status === 'RUNNING' || guest.status === 'PAUSED' ? 0 : 1);
    return [...carriers].sort((a, b) => rank(a) - rank(b))[0]?.guest;
  }

  /** A name is taken for the only guest, or the only node, that is called so: what it resolves to, only the proxy knows. */
  #called(name: string): Machine {
    const guests = [...this.view.guests.values()].filter(
      ({ row }) => !row.template && row.name !== null && sameName(row.name, name),
    );
    const [guest] = guests;
    if (guests.length === 1 && guest !== undefined) {
      const address = guest.carried.find((one) => familyOf(one.address) === 4) ?? guest.carried[0];
      return { address: address?.address ?? null, guest, node: undefined, confidence: 'declared' };
    }
    const nodes = guests.length === 0 ? this.#binding.nodes.find(name) : [];
    const [node] = nodes;
    const only = nodes.length === 1 ? node : undefined;
    return {
      address: only?.row.ip ?? null,
      guest: undefined,
      node: only,
      confidence: only === undefined ? 'missing' : 'declared',
    };
  }

  /** Where the guest's own MAC was seen, else its node's: its network cards', or a port whose neighbour is called so. */
  portOf({ guest, node, address, confidence }: Machine): JoinedPort['switch'] {
    const at = guest === undefined ? node?.id : nodeOf(guest);
    const macs = [...(guest === undefined ? [] : macsOf(guest, address)), ...(this.#nodeMacs.get(at ?? '') ?? [])];
    for (const mac of macs) {
      const client = this.#clients.get(mac);
      if (client !== undefined) return this.#portOfClient(client, confidence);
    }
    return at === undefined ? NO_PORT : this.#portByName(at, confidence);
  }

  #portOfClient({ source, body, seenAt }: KeptRecord<UnifiClient>, confidence: Confidence): JoinedPort['switch'] {
    const { switchMac: device, switchPort: port } = body;
    const name = this.view.records['unifi.device'].get(`${source} ${device}`)?.body.name ?? null;
    return { source, device, name, port, seenAt, confidence };
  }

  /** A switch whose port says by LLDP who is plugged in. */
  #portByName(at: string, confidence: Confidence): JoinedPort['switch'] {
    const node = this.view.nodes.get(at);
    if (node === undefined) return NO_PORT;
    for (const { source, body } of this.view.records['unifi.device'].values()) {
      const state = this.view.services.get(source);
      const port = body.ports.find(({ lldpName }) => lldpName !== null && this.#names(lldpName, node));
      if (port === undefined || state === undefined) continue;
      const { mac: device, name } = body;
      return { source, device, name, port: port.index, seenAt: state.lastSuccessAt, confidence };
    }
    return NO_PORT;
  }

  /** The text means this node and no other: nodes of two clusters may be called the same. */
  #names(text: string, node: NodeView): boolean {
    const found = this.#binding.nodes.find(text);
    return found.length === 1 && found[0]?.id === node.id;
  }
}

/** The MAC of the device that carries the address first. */
function macsOf(guest: GuestView, address: IpAddress | null): readonly Mac[] {
  const own = guest.carried.flatMap((one) => (one.address === address && one.mac !== null ? [one.mac] : []));
  const all = (guest.config?.devices ?? []).flatMap(({ mac }) => mac ?? []);
  return [...new Set([...own, ...all])];
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
