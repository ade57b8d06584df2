import { declaredCollector } from '../../src/collection/declared.js';
import { netboxCollector } from '../../src/collection/netbox.js';
import { proxmoxCollector } from '../../src/collection/proxmox.js';
import { serviceCollector } from '../../src/collection/service.js';
import type { CollectedSource } from '../../src/collection/source.js';
import type { Binding } from '../../src/domain/compare/binding.js';
import type { Declaration, DeclaredOutcome } from '../../src/domain/declaration.js';
import type { PartKey, ProxmoxObservation } from '../../src/domain/observation.js';
import { type ClusterSettings, unnamedCluster } from '../../src/domain/settings.js';
import type { InventoryView } from '../../src/domain/view.js';
import { chooseReads, type Reads } from '../../src/sources/proxmox/plan.js';
import type { ProxmoxRequest, ProxmoxSource } from '../../src/sources/proxmox/source.js';
import { CONF, declaresGuests, TABLE } from './domain-declared.js';
import { answer, DCIM } from './domain-netbox.js';
import { Estate } from './estate-model.js';
import { OBSERVERS, type Surroundings, serviceOf, told } from './whole-path-services.js';

/** Always ahead of the clock of any database: what the store is told to be the time is what the model says. */
const BEGINNING = Date.parse('2100-01-04T20:00:00Z');

export const FILES = [TABLE, CONF] as const;

/** Who looks, as far as what it sees depends on it. */
export interface Observer {
  /** By how much its clock is wrong. */
  readonly skew: number;
  view(): InventoryView;
  binding(): Binding;
}

/** The outside: an estate, what people wrote down of it, and what of both does not answer at the moment. */
export class World {
  readonly estate = new Estate({ main: ['pve1', 'pve2'], lab: ['lab1'] });
  /** What is written down, whether it can be read or not. */
  readonly written = new Map<string, readonly Declaration[]>();
  /** What stands around it; null: nothing that is collected. Set before a process opens. */
  around: Surroundings | null = null;
  /** Clusters, services and declared sources that do not answer, or make no sense. */
  readonly dark = new Set<string>();
  /** How many parts a poll reads of what did not change. */
  slice = 2;
  /** Turns the order in which parts are read. */
  turn = 0;
  /** What the last pass over a cluster saw; with `again`, the next one sees it once more. */
  readonly #seen = new Map<string, ProxmoxObservation>();
  again = false;

  constructor() {
    this.estate.now = BEGINNING;
  }

  get now(): number {
    return this.estate.now;
  }

  /** Everything that is collected of it, by one process. */
  sources(by: Observer): readonly CollectedSource[] {
    const now = () => this.now + by.skew;
    const needs = { now, confirmed: async () => null, pending: async () => {} };
    const files = FILES.map((name) =>
      declaredCollector({ ...needs, file: { name, collect: async () => this.#file(name, now()) } }),
    );
    const netbox = netboxCollector(
      { name: DCIM.slice('netbox:'.length) },
      {
        ...needs,
        intervalSeconds: () => 600,
        netbox: {
          collect: async ({ asked }) => ({
            outcome: this.#netbox(
              by,
              now(),
              asked?.map(({ guest }) => guest),
            ),
            requests: 1,
            notes: [],
          }),
          close: async () => {},
        },
      },
    );
    const clusters = this.estate
      .clusterNames()
      .map((name) =>
        proxmoxCollector(this.settingsOf(name), { now, binding: by.binding, proxmox: this.#proxmox(name, by) }),
      );
    return [...files, netbox, ...clusters, ...this.#services(by)];
  }

  /** Whether whoever asks a source now hears nothing of it. */
  isSilent(name: string): boolean {
    if (name === 'main/pve1' && this.estate.cluster('main').nodes.get('pve1')?.online !== true) return true;
    return this.dark.has(name);
  }

  #services(by: Observer): readonly CollectedSource[] {
    const { around } = this;
    if (around === null) return [];
    const now = () => this.now + by.skew;
    const look = (name: string) => {
      const at = now();
      return { at, served: this.dark.has(name) ? undefined : told(name, this.estate, around, at) };
    };
    return OBSERVERS.map((one) =>
      serviceCollector({ ...one, now, intervalSeconds: () => 600, source: serviceOf(() => look(one.name)) }),
    );
  }

  settingsOf(name: string): ClusterSettings {
    const slice = () => this.slice;
    return {
      ...unnamedCluster(name, ''),
      broken: null,
      get readsPerPoll() {
        return slice();
      },
    };
  }

  #file(name: string, at: number): DeclaredOutcome {
    const rows = this.written.get(name) ?? [];
    if (this.dark.has(name)) return { kind: 'unreachable', at, reason: 'it is empty', contentHash: null };
    const guests = declaresGuests(rows) || name === TABLE;
    const value = {
      ...{ askedAt: at, declaresGuests: guests, declaresAddresses: true, rows, rowCount: rows.length },
      ...{ problems: [], keyConflicts: [] },
    };
    return { kind: 'observed', at, value, contentHash: JSON.stringify(rows) };
  }

  #netbox(by: Observer, at: number, asked: readonly string[] | undefined): DeclaredOutcome {
    if (this.dark.has(DCIM)) return { kind: 'unreachable', at, reason: 'connect ECONNREFUSED', contentHash: null };
    const view = by.view();
    const value = answer(view, view.declared.get(`declared:${DCIM}`), this.written.get(DCIM) ?? [], at, asked);
    return { kind: 'observed', at, value, contentHash: '' };
  }

  #proxmox(cluster: string, by: Observer): ProxmoxSource {
    return {
      collect: async (request) => {
        const at = this.now + by.skew;
        if (this.dark.has(cluster)) return { kind: 'unreachable', at, reason: 'connect ECONNREFUSED', requests: 1 };
        const before = this.#seen.get(cluster);
        const value = this.again && before !== undefined ? before : this.#look(cluster, request, by.skew);
        this.#seen.set(cluster, value);
        return { kind: 'observed', at: value.askedAt, value, requests: 3 };
      },
      close: async () => {},
    };
  }

  /** One pass as the product plans it, with the model's answers; an observer's wrong clock is in every time of it. */
  #look(cluster: string, { known, plan }: ProxmoxRequest, skew: number): ProxmoxObservation {
    const listed = this.estate.observe(cluster, 'list');
    const nothing = { touched: new Set<number>(), underWay: new Set<string>() };
    const reads = chooseReads({ ...listed, ...nothing, at: listed.askedAt + skew, known, plan });
    const seen = this.estate.observe(cluster, turned(partsOf(reads), this.turn));
    return {
      ...seen,
      askedAt: seen.askedAt + skew,
      parts: seen.parts.map((part) => ({ ...part, askedAt: part.askedAt + skew })),
      full: plan.mode === 'all',
    };
  }
}

function partsOf({ guests, power, vmids }: Reads): readonly PartKey[] {
  return [
    ...vmids.map((vmid): PartKey => ({ part: 'vmid', key: String(vmid) })),
    ...power.map((key): PartKey => ({ part: 'power', key })),
    ...guests.flatMap(({ row, config, addresses }): PartKey[] => [
      ...(config ? [{ part: 'config' as const, key: String(row.vmid) }] : []),
      ...(addresses ? [{ part: 'addresses' as const, key: String(row.vmid) }] : []),
    ]),
  ];
}

/** The same parts in another order: begun elsewhere, and backwards at every second turn. */
function turned(parts: readonly PartKey[], turn: number): readonly PartKey[] {
  if (parts.length === 0) return parts;
  const at = turn % parts.length;
  const order = [...parts.slice(at), ...parts.slice(0, at)];
  return turn % 2 === 0 ? order : order.reverse();
}
