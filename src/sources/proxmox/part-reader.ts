import type { KnownCluster, ObservedRow } from '../../domain/observation.js';
import { type Instant, SECOND } from '../../domain/time.js';
import type { Ask, ProxmoxClient, Reply } from './client.js';
import { CONFIG_KEYS, guestConfig } from './parse/guest-config.js';
import { agentInterfaces, containerInterfaces, INTERFACE_KEYS } from './parse/interfaces.js';
import { POWER_KEYS, qmpStatuses } from './parse/power.js';
import { RESOURCE_KEYS, resources } from './parse/resources.js';
import { vmidFree } from './parse/vmid.js';
import type { Entry, PartBook } from './part-book.js';
import { addressesResult, failed, looksMoved, NO_AGENT } from './part-result.js';

export interface ReaderNeeds {
  readonly client: ProxmoxClient;
  readonly ask: Ask;
  readonly now: () => Instant;
  readonly known: KnownCluster;
  /** How long reads that may wait are begun for. */
  readonly patienceMs: number;
}

// A dead agent answers after 3 s; one that says nothing at all is given up soon after.
const AGENT_MS = 5 * SECOND;
const CONFIG_MS = 10 * SECOND;
const POWER_MS = 20 * SECOND;
// So many answers in a row that a node is gone (each up to half a minute late) and it is asked no more in this pass.
const PATIENCE_WITH_NODE = 3;

/** Asks for one part at a time and writes into the book what came of it. Whatever goes wrong is that part's result; only cancelling throws. */
export class PartReader {
  readonly #needs: ReaderNeeds;
  readonly #book: PartBook;
  readonly #started: Instant;
  /** What configs said in this pass. */
  readonly #agents = new Map<number, boolean>();
  readonly #silences = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #asks: Readonly<Record<'config' | 'addresses' | 'power' | 'vmid' | 'list', Ask>>;
  #moved: Promise<ReadonlyMap<number, string>> | undefined;

  constructor(needs: ReaderNeeds, book: PartBook) {
    this.#needs = needs;
    this.#book = book;
    this.#started = needs.now();
    this.#asks = {
      config: { ...needs.ask, headersMs: CONFIG_MS, wanted: CONFIG_KEYS },
      addresses: { ...needs.ask, headersMs: AGENT_MS, wanted: INTERFACE_KEYS },
      power: { ...needs.ask, headersMs: POWER_MS, wanted: POWER_KEYS },
      vmid: { ...needs.ask, headersMs: CONFIG_MS },
      list: { ...needs.ask, headersMs: CONFIG_MS, wanted: RESOURCE_KEYS },
    };
  }

  /** Whether its config, as last read, has an agent. */
  agentOf(vmid: number): boolean | undefined {
    return this.#agents.get(vmid) ?? this.#needs.known.guests.get(vmid)?.agent;
  }

  /** Nodes that said nothing to the last question. */
  silent(): readonly string[] {
    return [...this.#silences].flatMap(([node, times]) => (times > 0 ? [node] : []));
  }

  /** What was left out since the last time. */
  takeNotes(): readonly string[] {
    const notes = [...this.#skipped].map(([node, count]) => skippedNote(node, count));
    this.#skipped.clear();
    return notes;
  }

  read(entry: Entry): Promise<void> {
    const { row } = entry;
    if (row !== undefined) return entry.part === 'config' ? this.#config(entry, row) : this.#addresses(entry, row);
    return entry.part === 'power' ? this.#power(entry) : this.#vmid(entry);
  }

  async #config(entry: Entry, row: ObservedRow): Promise<void> {
    if (this.#isGivenUp(row.node)) return;
    const reply = await this.#askGuest(row, 'config', this.#asks.config);
    this.#hear(row.node, reply);
    const value = reply.kind === 'content' ? guestConfig(row.kind, reply.content) : undefined;
    if (value === undefined) return this.#book.add(entry, reply.askedAt, failed('config', reply));
    this.#agents.set(row.vmid, value.agent);
    this.#book.add(entry, reply.askedAt, { kind: 'read', part: 'config', value });
  }

  async #power(entry: Entry): Promise<void> {
    const { key: node } = entry;
    const reply = await this.#needs.client.get(`/nodes/${encodeURIComponent(node)}/qemu?full=1`, this.#asks.power);
    this.#hear(node, reply);
    const value = reply.kind === 'content' ? qmpStatuses(reply.content) : undefined;
    if (value === undefined) return this.#book.add(entry, reply.askedAt, failed('power', reply));
    this.#book.add(entry, reply.askedAt, { kind: 'read', part: 'power', value });
  }

  async #vmid(entry: Entry): Promise<void> {
    const reply = await this.#needs.client.get(`/cluster/nextid?vmid=${entry.key}`, this.#asks.vmid);
    const free = reply.kind === 'silent' ? undefined : vmidFree(Number(entry.key), reply);
    if (free === undefined) return this.#book.add(entry, reply.askedAt, failed('vmid', reply));
    this.#book.add(entry, reply.askedAt, { kind: 'read', part: 'vmid', value: { free } });
  }

  async #addresses(entry: Entry, row: ObservedRow): Promise<void> {
    const qemu = row.kind === 'QEMU';
    const agent = this.agentOf(row.vmid);
    const nothing = row.status === 'STOPPED' ? 'stopped' : qemu && agent === false ? NO_AGENT : undefined;
    if (nothing !== undefined) {
      return this.#book.add(entry, this.#needs.now(), { kind: 'none', part: 'addresses', reason: nothing });
    }
    if (this.#isGivenUp(row.node)) return;
    if (qemu && agent === undefined) {
      const reason = 'its config could not be read, so whether it has a guest agent is not known';
      return this.#book.add(entry, this.#needs.now(), { kind: 'failed', part: 'addresses', reason });
    }
    if (entry.mayWait && this.#needs.now() - this.#started > this.#needs.patienceMs) return;
    const reply = await this.#askGuest(row, qemu ? 'agent/network-get-interfaces' : 'interfaces', this.#asks.addresses);
    this.#book.add(entry, reply.askedAt, addressesResult(reply, qemu ? agentInterfaces : containerInterfaces));
  }

  /** A guest that moved since the list was read is asked once more where it went. */
  async #askGuest(row: ObservedRow, what: string, ask: Ask): Promise<Reply> {
    const path = (node: string) =>
      `/nodes/${encodeURIComponent(node)}/${row.kind === 'QEMU' ? 'qemu' : 'lxc'}/${row.vmid}/${what}`;
    const reply = await this.#needs.client.get(path(row.node), ask);
    if (!looksMoved(reply)) return reply;
    this.#moved ??= this.#whereAllAre();
    const node = (await this.#moved).get(row.vmid);
    return node === undefined || node === row.node ? reply : this.#needs.client.get(path(node), ask);
  }

  async #whereAllAre(): Promise<ReadonlyMap<number, string>> {
    const reply = await this.#needs.client.get('/cluster/resources?type=vm', this.#asks.list);
    const listed = reply.kind === 'content' ? resources(reply.content) : undefined;
    return new Map(listed?.rows.map((row) => [row.vmid, row.node]));
  }

  #hear(node: string, reply: Reply): void {
    const silent =
      reply.kind === 'silent' ? reply.setback === 'timeout' : reply.kind === 'refused' && reply.status >= 595;
    if (silent) this.#silences.set(node, (this.#silences.get(node) ?? 0) + 1);
    else if (this.#silences.size > 0) this.#silences.delete(node);
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
