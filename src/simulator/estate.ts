import { Chronicle } from './chronicle.js';
import type { AgentState, Guest, Nic, NicAddress, NodeState, PveVersion, SimNode } from './guest.js';
import { Machines } from './machines.js';
import { macText } from './network-plan.js';
import { BLANK, type NewGuest } from './new-guest.js';
import { hashOf, uuidOf } from './random.js';

export interface EstateStart {
  readonly name: string;
  readonly seed: number;
  /** Which of the clusters this is: its addresses depend on it. */
  readonly index: number;
  readonly version: PveVersion;
  readonly nodes: readonly SimNode[];
  readonly guests: readonly Guest[];
  now(): number;
}

/** pvestatd goes round every ten seconds: until then a new guest has no name and no figures. */
const FIRST_STATISTICS_MS = 10_000;

/**
 * One simulated cluster: who is there, and what may happen to it. Every deed leaves the tasks and log lines that Proxmox
 * would, so that whoever reads them learns what they would learn there. A VMID or node that is not there throws.
 */
export class Estate {
  readonly name: string;
  readonly seed: number;
  readonly index: number;
  readonly version: PveVersion;
  readonly chronicle: Chronicle;
  readonly machines: Machines;
  readonly now: () => number;
  readonly #guests = new Map<number, Guest>();
  readonly #nodes = new Map<string, SimNode>();
  readonly #macs = new Set<string>();
  readonly #lives = new Map<number, number>();
  #quorate = true;
  #revision = 0;

  constructor(start: EstateStart) {
    this.name = start.name;
    this.seed = start.seed;
    this.index = start.index;
    this.version = start.version;
    this.now = () => start.now();
    this.chronicle = new Chronicle(this.now);
    this.machines = new Machines(start.seed, start.index, (name) => this.#known(name));
    for (const node of start.nodes) this.#nodes.set(node.name, node);
    for (const guest of start.guests) this.put(guest);
  }

  /** Grows with every change: answers may be kept under it. */
  get revision(): number {
    return this.#revision;
  }

  get quorate(): boolean {
    return this.#quorate;
  }

  nodes(): readonly SimNode[] {
    return [...this.#nodes.values()];
  }

  node(name: string): SimNode | undefined {
    return this.#nodes.get(name);
  }

  guests(): readonly Guest[] {
    return [...this.#guests.values()];
  }

  has(vmid: number): boolean {
    return this.#guests.has(vmid);
  }

  guest(vmid: number): Guest {
    const guest = this.#guests.get(vmid);
    if (guest === undefined) throw new Error(`${this.name} has no guest ${vmid}`);
    return guest;
  }

  /** Sets a guest as it is, without a word in any log. */
  put(guest: Guest): void {
    for (const nic of guest.nics) this.#macs.add(nic.mac);
    this.#guests.set(guest.vmid, guest);
    this.#revision += 1;
  }

  rename(vmid: number, name: string): void {
    const guest = this.#edit(vmid, { name });
    this.#logEdit(guest, `-name ${name}`);
  }

  setTags(vmid: number, tags: readonly string[]): void {
    const guest = this.#edit(vmid, { tags });
    this.#logEdit(guest, `-tags ${tags.join(';')}`);
  }

  /** Gives a device (`net0`) another address, `10.0.0.5/24` or `fd00::5/64`, known to whoever knew the one before. */
  setAddress(vmid: number, device: string, address: string): void {
    const [text = '', prefix = '24'] = address.split('/');
    const family = text.includes(':') ? 'v6' : 'v4';
    const before = this.#nic(vmid, device);
    const by = before[family]?.by ?? (this.guest(vmid).kind === 'lxc' ? 'config' : 'inside');
    const given: NicAddress = { by, address: text, prefix: Number(prefix) };
    const guest = this.#editNic(vmid, before.index, { [family]: given });
    // What is set inside a guest, or leased to it, no log of the cluster tells.
    if (by === 'config') this.#logEdit(guest, `-ipconfig${before.index} ip=${address}`);
  }

  setNic(vmid: number, device: string, change: Partial<Nic>): void {
    const before = this.#nic(vmid, device);
    const guest = this.#editNic(vmid, before.index, change);
    this.#logEdit(guest, `-${device} bridge=${before.bridge}`);
  }

  setAgent(vmid: number, agent: AgentState): void {
    const guest = this.#edit(vmid, { agent });
    this.#logEdit(guest, `-agent ${agent === 'none' ? 0 : 1}`);
  }

  start(vmid: number): void {
    const guest = this.#edit(vmid, { power: 'running', startedAt: this.now() });
    this.#task(guest, 'start');
  }

  stop(vmid: number): void {
    this.#task(this.#edit(vmid, { power: 'stopped' }), 'stop');
  }

  reboot(vmid: number): void {
    this.#task(this.#edit(vmid, { power: 'running', startedAt: this.now() }), 'reboot');
  }

  pause(vmid: number): void {
    this.#task(this.#edit(vmid, { power: 'paused' }), this.guest(vmid).kind === 'lxc' ? 'suspend' : 'pause');
  }

  resume(vmid: number): void {
    this.#task(this.#edit(vmid, { power: 'running' }), 'resume');
  }

  migrate(vmid: number, node: string): void {
    this.#known(node);
    this.#task(this.guest(vmid), 'migrate');
    this.#edit(vmid, { node });
  }

  /** A lock as Proxmox shows it (`backup`, `migrate`, …); null takes it away. */
  lock(vmid: number, lock: string | null): void {
    this.#edit(vmid, { lock });
  }

  setHa(vmid: number, ha: string | null): void {
    this.#edit(vmid, { ha });
  }

  /** Without statistics a guest is listed as `unknown`, and without a name. */
  setStatistics(vmid: number, there: boolean): void {
    this.#edit(vmid, { statisticsFrom: there ? 0 : Number.POSITIVE_INFINITY });
  }

  create(wanted: NewGuest): Guest {
    if (this.has(wanted.vmid)) throw new Error(`${this.name} already has a guest ${wanted.vmid}`);
    const node = wanted.node ?? this.nodes()[0]?.name ?? '';
    this.#known(node);
    const life = (this.#lives.get(wanted.vmid) ?? 0) + 1;
    this.#lives.set(wanted.vmid, life);
    const now = this.now();
    const guest: Guest = {
      ...BLANK,
      ...wanted,
      kind: wanted.kind ?? 'qemu',
      node,
      uuid: uuidOf(this.seed, this.index, wanted.vmid, 'life', life),
      nics: wanted.nics ?? [this.newNic(wanted.vmid, 0, life)],
      createdAt: now,
      startedAt: now,
      statisticsFrom: now + FIRST_STATISTICS_MS,
    };
    this.put(guest);
    this.#task(guest, 'create');
    return guest;
  }

  /** A copy with its own uuid and MACs, stopped. Addresses written in the config are copied, as Proxmox does. */
  clone(vmid: number, newVmid: number, name: string): Guest {
    const model = this.guest(vmid);
    const nics = model.nics.map((nic) => ({
      ...this.newNic(newVmid, nic.index, 1),
      bridge: nic.bridge,
      tag: nic.tag,
      v4: nic.v4?.by === 'inside' ? null : nic.v4,
      v6: nic.v6?.by === 'inside' ? null : nic.v6,
    }));
    this.#task(model, 'clone');
    const { kind, node, agent, tags } = model;
    return this.create({ vmid: newVmid, name, kind, node, agent, tags, nics });
  }

  destroy(vmid: number): void {
    this.#task(this.guest(vmid), 'destroy');
    this.#guests.delete(vmid);
    this.#revision += 1;
  }

  /** Another guest under the same VMID: a new uuid, new MACs; the name and addresses of the one before. */
  recreate(vmid: number): Guest {
    const { name, kind, node, agent, nics, tags } = this.guest(vmid);
    this.destroy(vmid);
    const life = (this.#lives.get(vmid) ?? 0) + 1;
    const fresh = nics.map((nic) => ({ ...nic, mac: this.newNic(vmid, nic.index, life).mac }));
    return this.create({ vmid, name, kind, node, agent, tags, nics: fresh, power: 'running' });
  }

  /** A backup of every guest begins: all are locked, and stopped VMs look as if they ran. */
  backupNight(): void {
    for (const guest of this.guests()) {
      if (guest.template || guest.lock !== null) continue;
      const prelaunch = guest.kind === 'qemu' && guest.power === 'stopped';
      this.put({ ...guest, lock: 'backup', prelaunch });
    }
    for (const node of this.nodes()) this.chronicle.task('vzdump', '', node.name);
  }

  backupMorning(): void {
    for (const guest of this.guests())
      if (guest.lock === 'backup') this.put({ ...guest, lock: null, prelaunch: false });
  }

  setNode(name: string, state: NodeState): void {
    this.#nodes.set(name, { ...this.#known(name), state });
    this.#revision += 1;
  }

  setQuorum(quorate: boolean): void {
    this.#quorate = quorate;
    this.#revision += 1;
  }

  newNic(vmid: number, index: number, life: number): Nic {
    let bits = hashOf(this.seed, this.index, vmid, index, life) & 0xffffff;
    while (this.#macs.has(macText(bits))) bits = (bits + 1) & 0xffffff;
    return { index, mac: macText(bits), bridge: 'vmbr0', tag: null, linkDown: false, v4: null, v6: null };
  }

  #known(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`${this.name} has no node ${name}`);
    return node;
  }

  #nic(vmid: number, device: string): Nic {
    const nic = this.guest(vmid).nics.find(({ index }) => `net${index}` === device);
    if (nic === undefined) throw new Error(`guest ${vmid} of ${this.name} has no device ${device}`);
    return nic;
  }

  #edit(vmid: number, change: Partial<Guest>): Guest {
    const next = { ...this.guest(vmid), ...change };
    this.put(next);
    return next;
  }

  #editNic(vmid: number, index: number, change: Partial<Nic>): Guest {
    const nics = this.guest(vmid).nics.map((nic) => (nic.index === index ? { ...nic, ...change } : nic));
    return this.#edit(vmid, { nics });
  }

  /** Edits of a VM's config are logged; those of a container are not. */
  #logEdit({ kind, vmid, node }: Guest, options: string): void {
    if (kind === 'qemu') this.chronicle.write(node, 'root@pam', `update VM ${vmid}: ${options}`);
  }

  #task({ kind, vmid, node }: Guest, deed: string): void {
    this.chronicle.task(`${kind === 'qemu' ? 'qm' : 'vz'}${deed}`, String(vmid), node);
  }
}
