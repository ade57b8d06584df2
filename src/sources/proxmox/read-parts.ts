import type { KnownCluster, ObservedRow, PartRead, PartResult, Progress } from '../../domain/observation.js';
import { type Instant, SECOND } from '../../domain/time.js';
import type { Ask, ProxmoxClient, Reply } from './client.js';
import { inLanes } from './lanes.js';
import { guestConfig } from './parse/guest-config.js';
import { agentInterfaces, containerInterfaces, type Interfaces } from './parse/interfaces.js';
import { qmpStatuses } from './parse/power.js';
import { resources } from './parse/resources.js';
import { vmidFree } from './parse/vmid.js';
import type { Reads } from './plan.js';

export interface ReadNeeds {
  readonly client: ProxmoxClient;
  readonly ask: Ask;
  readonly now: () => Instant;
  readonly width: number;
  readonly known: KnownCluster;
  /** How long reads that may wait are begun for. */
  readonly patienceMs: number;
  readonly progress: Progress;
}

export interface PartsRead {
  readonly parts: readonly PartRead[];
  readonly notes: readonly string[];
}

// A dead agent answers after 3 s; one that says nothing at all is given up soon after.
const AGENT_MS = 5 * SECOND;
const CONFIG_MS = 10 * SECOND;
const POWER_MS = 20 * SECOND;
// So many answers in a row that a node is gone (each up to half a minute late) and it is asked no more in this pass.
const PATIENCE_WITH_NODE = 3;

/**
 * Reads the chosen parts: first configs, power details and proofs, which are quick; then addresses, where dead agents
 * take seconds each. Whatever goes wrong with one part is that part's result; only cancelling throws.
 */
export async function readParts(reads: Reads, needs: ReadNeeds): Promise<PartsRead> {
  return new Pass(reads, needs).run();
}

class Pass {
  readonly #reads: Reads;
  readonly #needs: ReadNeeds;
  readonly #started: Instant;
  readonly #parts: PartRead[] = [];
  readonly #agents = new Map<number, boolean>();
  readonly #silences = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  #done = 0;
  #total = 0;
  #moved: Promise<ReadonlyMap<number, string>> | undefined;

  constructor(reads: Reads, needs: ReadNeeds) {
    this.#reads = reads;
    this.#needs = needs;
    this.#started = needs.now();
  }

  async run(): Promise<PartsRead> {
    const { guests, power, vmids } = this.#reads;
    const { known, width } = this.#needs;
    const addresses = guests.filter((guest) => guest.addresses);
    const configs = guests.filter((guest) => guest.config || (guest.addresses && this.#needsAgentFlag(guest.row)));
    for (const [vmid, guest] of known.guests) if (guest.agent !== undefined) this.#agents.set(vmid, guest.agent);

    this.#total = configs.length + power.length + vmids.length + addresses.length;
    await inLanes(
      width,
      [
        ...vmids.map((vmid) => () => this.#readVmid(vmid)),
        ...power.map((node) => () => this.#readPower(node)),
        ...configs.map(
          ({ row }) =>
            () =>
              this.#readConfig(row),
        ),
      ],
      (read) => this.#counted(read),
    );
    const turned = configs.filter((guest) => !guest.addresses && this.#agentTurned(guest.row));
    this.#total += turned.length;
    await inLanes(width, [...addresses, ...turned], ({ row, mayWait }) =>
      this.#counted(() => this.#readAddresses(row, mayWait)),
    );
    return { parts: this.#parts, notes: [...this.#skipped].map(([node, count]) => skippedNote(node, count)) };
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

  async #counted(read: () => Promise<void>): Promise<void> {
    this.#needs.ask.signal.throwIfAborted();
    await read();
    this.#done += 1;
    this.#needs.progress(this.#done, this.#total);
  }

  #add(key: string | number, askedAt: Instant, result: PartResult): void {
    this.#parts.push({ key: String(key), askedAt, result });
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

export const NO_AGENT = 'no guest agent is configured';

function addressesResult(reply: Reply, parse: (content: unknown) => Interfaces): PartResult {
  const part = 'addresses';
  if (reply.kind === 'refused') {
    if (reply.status === 501)
      return { kind: 'none', part, reason: `this Proxmox version has no such call (${reply.words})` };
    if (/No QEMU guest agent configured/i.test(reply.words)) return { kind: 'none', part, reason: NO_AGENT };
    if (/(?:VM|CT) \d+ (?:is )?not running/i.test(reply.words)) return { kind: 'none', part, reason: 'stopped' };
  }
  if (reply.kind !== 'content') return failed(part, reply);
  const parsed = parse(reply.content);
  switch (parsed.kind) {
    case 'read':
      return { kind: 'read', part, value: parsed.value };
    case 'stopped':
      return { kind: 'none', part, reason: 'stopped' };
    case 'failed':
      return { kind: 'failed', part, reason: parsed.reason };
  }
}

function failed(part: 'config' | 'addresses' | 'power' | 'vmid', reply: Reply): PartResult {
  const reason = reply.kind === 'content' ? 'the answer has not the shape that Proxmox documents' : reply.words;
  return { kind: 'failed', part, reason };
}

/** Its config file is gone from the node, or the node's proxy could not make sense of the other one's answer. */
function looksMoved(reply: Reply): boolean {
  if (reply.kind !== 'refused') return false;
  return reply.status === 596 || (reply.status === 500 && /does not exist/i.test(reply.words));
}

function skippedNote(node: string, count: number): string {
  return `node ${node} does not answer though it is listed as online; ${count} parts of its guests were left for later`;
}
