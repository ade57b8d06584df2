import type { KnownCluster, ObservedRow, PartRead, PartResult, Progress, SlicePart } from '../../domain/observation.js';
import { type Instant, SECOND } from '../../domain/time.js';
import { inLanes } from '../lanes.js';
import type { Ask, ProxmoxClient, Reply } from './client.js';
import { guestConfig } from './parse/guest-config.js';
import { agentInterfaces, containerInterfaces } from './parse/interfaces.js';
import { qmpStatuses } from './parse/power.js';
import { resources } from './parse/resources.js';
import { vmidFree } from './parse/vmid.js';
import { addressesResult, failed, looksMoved, NO_AGENT } from './part-result.js';
import type { Reads } from './plan.js';

export interface ReadNeeds {
  readonly client: ProxmoxClient;
  readonly ask: Ask;
  readonly now: () => Instant;
  /** Reads of one node under way at once. */
  readonly width: number;
  readonly known: KnownCluster;
  /** How long reads that may wait are begun for. */
  readonly patienceMs: number;
  readonly progress: Progress;
  /**
   * Waits for a turn at a node (null: for what is urgent, wherever) and resolves with the way to leave; undefined: there is
   * nothing to wait for. Here and not at the client, where a request that waits is already much to remember.
   */
  enter(node: string | null, signal: AbortSignal): Promise<() => void> | undefined;
}

export interface PartsRead {
  readonly parts: readonly PartRead[];
  readonly notes: readonly string[];
}

interface NodeWork {
  power: boolean;
  readonly deciding: ObservedRow[];
  readonly configs: ObservedRow[];
  readonly addresses: { readonly row: ObservedRow; readonly mayWait: boolean }[];
}

// A dead agent answers after 3 s; one that says nothing at all is given up soon after.
const AGENT_MS = 5 * SECOND;
const CONFIG_MS = 10 * SECOND;
const POWER_MS = 20 * SECOND;
// So many answers in a row that a node is gone (each up to half a minute late) and it is asked no more in this pass.
const PATIENCE_WITH_NODE = 3;

/**
 * Reads the chosen parts, each node on its own, so that one that hangs keeps nobody waiting: first the configs that decide
 * who lives there, then power details and the other configs, then addresses, where dead agents take seconds each.
 * Whatever goes wrong with one part is that part's result; only cancelling throws. What was read can be taken at any time.
 */
export class Pass {
  readonly #reads: Reads;
  readonly #needs: ReadNeeds;
  readonly #started: Instant;
  readonly #parts = new Map<string, PartRead>();
  readonly #agents = new Map<number, boolean>();
  readonly #silences = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  /** Parts that are still to come of this pass. */
  readonly #open = new Map<string, { readonly node: string }>();
  readonly #deciding = new Map<string, Promise<void>>();
  #proving: Promise<void> = Promise.resolve();
  #done = 0;
  #total = 0;
  #moved: Promise<ReadonlyMap<number, string>> | undefined;

  constructor(reads: Reads, needs: ReadNeeds) {
    this.#reads = reads;
    this.#needs = needs;
    this.#started = needs.now();
    for (const [vmid, guest] of needs.known.guests) if (guest.agent !== undefined) this.#agents.set(vmid, guest.agent);
  }

  async run(): Promise<void> {
    const { vmids } = this.#reads;
    const byNode = this.#byNode();
    this.#total = this.#open.size;
    this.#proving = inLanes(this.#needs.width, vmids, (vmid) =>
      this.#counted('vmid', vmid, null, () => this.#readVmid(vmid)),
    );
    const all: Promise<void>[] = [this.#proving];
    for (const [node, work] of byNode) {
      const deciding = inLanes(this.#needs.width, work.deciding, (row) =>
        this.#counted('config', row.vmid, null, () => this.#readConfig(row)),
      );
      this.#deciding.set(node, deciding);
      all.push(deciding.then(() => this.#readNode(node, work)));
    }
    const ends = await Promise.allSettled(all);
    const broken = ends.find((end) => end.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  /** Ends when it is decided who lives on the nodes that are not `without`. */
  async decided(without: ReadonlySet<string> = new Set()): Promise<void> {
    await Promise.all([...this.#deciding].flatMap(([node, deciding]) => (without.has(node) ? [] : [deciding])));
  }

  async proven(): Promise<void> {
    await this.#proving;
  }

  /** What was read since it was last taken. */
  take(): PartsRead {
    const parts = [...this.#parts.values()];
    const notes = [...this.#skipped].map(([node, count]) => skippedNote(node, count));
    this.#parts.clear();
    this.#skipped.clear();
    return { parts, notes };
  }

  /** Names of the parts that are still to come, or to be taken. */
  underWay(): readonly string[] {
    return [...this.#open.keys(), ...this.#parts.keys()];
  }

  /** Nodes that said nothing to the last question, or are still thinking about a config or their power details. */
  hanging(): readonly string[] {
    const thinking = [...this.#open].flatMap(([name, { node }]) => (/^(config|power) /.test(name) ? [node] : []));
    return [...thinking, ...[...this.#silences].flatMap(([node, times]) => (times > 0 ? [node] : []))];
  }

  /** Whatever comes of these parts is of no use any more. */
  forget(names: Iterable<string>): void {
    for (const name of names) {
      this.#parts.delete(name);
      this.#open.delete(name);
    }
  }

  #byNode(): ReadonlyMap<string, NodeWork> {
    const nodes = new Map<string, NodeWork>();
    const at = (node: string): NodeWork => {
      const work = nodes.get(node) ?? { power: false, deciding: [], configs: [], addresses: [] };
      nodes.set(node, work);
      return work;
    };
    for (const vmid of this.#reads.vmids) this.#open.set(`vmid ${vmid}`, { node: '' });
    for (const node of this.#reads.power) {
      at(node).power = true;
      this.#open.set(`power ${node}`, { node });
    }
    for (const { row, config, addresses, mayWait, decides } of this.#reads.guests) {
      const { node, vmid } = row;
      if (config || (addresses && this.#needsAgentFlag(row))) {
        at(node)[decides ? 'deciding' : 'configs'].push(row);
        this.#open.set(`config ${vmid}`, { node });
      }
      if (!addresses) continue;
      at(node).addresses.push({ row, mayWait });
      this.#open.set(`addresses ${vmid}`, { node });
    }
    return nodes;
  }

  async #readNode(node: string, { power, deciding, configs, addresses }: NodeWork): Promise<void> {
    const { width } = this.#needs;
    const details: (() => Promise<void>)[] = configs.map(
      (row) => () => this.#counted('config', row.vmid, node, () => this.#readConfig(row)),
    );
    if (power) details.unshift(() => this.#counted('power', node, node, () => this.#readPower(node)));
    await inLanes(width, details, (read) => read());

    const planned = new Set(addresses.map(({ row }) => row.vmid));
    const turned = [...deciding, ...configs].filter((row) => !planned.has(row.vmid) && this.#agentTurned(row));
    for (const { vmid } of turned) this.#open.set(`addresses ${vmid}`, { node });
    this.#total += turned.length;
    await inLanes(width, [...addresses, ...turned.map((row) => ({ row, mayWait: false }))], ({ row, mayWait }) =>
      this.#counted('addresses', row.vmid, node, () => this.#readAddresses(row, mayWait)),
    );
  }

  /** Whether an agent answers is written in the config: without it there is nothing to decide by. */
  #needsAgentFlag(row: ObservedRow): boolean {
    return (
      row.kind === 'QEMU' && row.status !== 'STOPPED' && this.#needs.known.guests.get(row.vmid)?.agent === undefined
    );
  }

  /** An agent that the config now has, or has no more, changes what there is to read. */
  #agentTurned(row: ObservedRow): boolean {
    const before = this.#needs.known.guests.get(row.vmid)?.agent;
    return (
      row.kind === 'QEMU' && row.status !== 'UNKNOWN' && before !== undefined && before !== this.#agents.get(row.vmid)
    );
  }

  /** `node`: whose turn is waited for; null: it is urgent. */
  async #counted(part: SlicePart, key: string | number, node: string | null, read: () => Promise<void>): Promise<void> {
    const { ask, enter, progress } = this.#needs;
    const leave = await enter(node, ask.signal);
    try {
      ask.signal.throwIfAborted();
      const name = `${part} ${key}`;
      if (this.#open.has(name)) await read();
      this.#open.delete(name);
    } finally {
      leave?.();
    }
    this.#done += 1;
    progress(this.#done, this.#total);
  }

  #add(key: string | number, askedAt: Instant, result: PartResult): void {
    const name = `${result.part} ${key}`;
    if (this.#open.has(name)) this.#parts.set(name, { key: String(key), askedAt, result });
  }

  async #readConfig(row: ObservedRow): Promise<void> {
    if (this.#isGivenUp(row.node)) return;
    const reply = await this.#askGuest(row, 'config', CONFIG_MS);
    this.#hear(row.node, reply);
    const value = reply.kind === 'content' ? guestConfig(row.kind, reply.content) : undefined;
    if (value !== undefined) this.#agents.set(row.vmid, value.agent);
    this.#add(
      row.vmid,
      reply.askedAt,
      value === undefined ? failed('config', reply) : { kind: 'read', part: 'config', value },
    );
  }

  async #readPower(node: string): Promise<void> {
    const reply = await this.#get(`/nodes/${encodeURIComponent(node)}/qemu?full=1`, POWER_MS);
    this.#hear(node, reply);
    const value = reply.kind === 'content' ? qmpStatuses(reply.content) : undefined;
    this.#add(
      node,
      reply.askedAt,
      value === undefined ? failed('power', reply) : { kind: 'read', part: 'power', value },
    );
  }

  async #readVmid(vmid: number): Promise<void> {
    const reply = await this.#get(`/cluster/nextid?vmid=${vmid}`, CONFIG_MS);
    const free = reply.kind === 'silent' ? undefined : vmidFree(vmid, reply);
    this.#add(
      vmid,
      reply.askedAt,
      free === undefined ? failed('vmid', reply) : { kind: 'read', part: 'vmid', value: { free } },
    );
  }

  async #readAddresses(row: ObservedRow, mayWait: boolean): Promise<void> {
    const agent = this.#agents.get(row.vmid);
    const nothing =
      row.status === 'STOPPED' ? 'stopped' : row.kind === 'QEMU' && agent === false ? NO_AGENT : undefined;
    if (nothing !== undefined) {
      this.#add(row.vmid, this.#needs.now(), { kind: 'none', part: 'addresses', reason: nothing });
      return;
    }
    if (this.#isGivenUp(row.node)) return;
    if (row.kind === 'QEMU' && agent === undefined) {
      const reason = 'its config could not be read, so whether it has a guest agent is not known';
      this.#add(row.vmid, this.#needs.now(), { kind: 'failed', part: 'addresses', reason });
      return;
    }
    if (mayWait && this.#needs.now() - this.#started > this.#needs.patienceMs) return;
    const qemu = row.kind === 'QEMU';
    const reply = await this.#askGuest(row, qemu ? 'agent/network-get-interfaces' : 'interfaces', AGENT_MS);
    this.#add(row.vmid, reply.askedAt, addressesResult(reply, qemu ? agentInterfaces : containerInterfaces));
  }

  /** A guest that moved since the list was read is asked once more where it went. */
  async #askGuest(row: ObservedRow, what: string, headersMs: number): Promise<Reply> {
    const path = (node: string) => `/nodes/${encodeURIComponent(node)}/${row.kind.toLowerCase()}/${row.vmid}/${what}`;
    const reply = await this.#get(path(row.node), headersMs);
    if (!looksMoved(reply)) return reply;
    this.#moved ??= this.#whereAllAre();
    const node = (await this.#moved).get(row.vmid);
    return node === undefined || node === row.node ? reply : this.#get(path(node), headersMs);
  }

  async #whereAllAre(): Promise<ReadonlyMap<number, string>> {
    const reply = await this.#get('/cluster/resources?type=vm', CONFIG_MS);
    const listed = reply.kind === 'content' ? resources(reply.content) : undefined;
    return new Map(listed?.rows.map((row) => [row.vmid, row.node]));
  }

  #get(path: string, headersMs: number): Promise<Reply> {
    return this.#needs.client.get(path, { ...this.#needs.ask, headersMs });
  }

  #hear(node: string, reply: Reply): void {
    const silent =
      reply.kind === 'silent' ? reply.setback === 'timeout' : reply.kind === 'refused' && reply.status >= 595;
    this.#silences.set(node, silent ? (this.#silences.get(node) ?? 0) + 1 : 0);
  }

  #isGivenUp(node: string): boolean {
    if ((this.#silences.get(node) ?? 0) < PATIENCE_WITH_NODE) return false;
    this.#skipped.set(node, (this.#skipped.get(node) ?? 0) + 1);
    return true;
  }
}

function skippedNote(node: string, count: number): string {
  return `node ${node} does not answer though it is listed as online; ${count} parts of its guests were left for later`;
}
