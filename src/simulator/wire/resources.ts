import { type Guest, isListedRunning, type SimNode } from '../guest.js';
import { below, shuffled } from '../random.js';
import { GIB, guestFigures, MIB, nodeFigures, ROUND_MS, uptimeOf } from './figures.js';
import { pairsOf, wireText } from './json.js';
import type { Sight } from './sight.js';

/** A guest's row, cut where its uptime goes. */
interface RowParts {
  readonly minute: number;
  readonly fixed: readonly string[];
  readonly before: string;
  readonly after: string;
}

/** `GET /cluster/resources`: one row a thing that the token may see, in no order. */
export class Resources {
  readonly #sight: Sight;
  #parts = new WeakMap<Guest, RowParts>();
  #partsUnder = -1;
  readonly #kept = new Map<string, { readonly key: string; readonly text: string }>();

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  text(type: string | undefined): string {
    const { estate, faults } = this.#sight;
    const now = estate.now();
    const key = `${estate.revision} ${faults.revision} ${Math.floor(now / ROUND_MS)}`;
    const kept = this.#kept.get(type ?? '');
    if (kept?.key === key) return kept.text;
    const text = `[${shuffled(this.#sight.random, this.#rows(type, now)).join(',')}]`;
    this.#kept.set(type ?? '', { key, text });
    return text;
  }

  #rows(type: string | undefined, now: number): string[] {
    const sight = this.#sight;
    if (this.#partsUnder !== sight.faults.revision) this.#parts = new WeakMap();
    this.#partsUnder = sight.faults.revision;
    const rows: string[] = [];
    const wants = (one: string) => type === undefined || type === one;
    if (wants('vm')) for (const guest of sight.guests()) rows.push(this.#guestRow(guest, now));
    const others: object[] = [];
    if (wants('node')) for (const node of sight.estate.nodes()) others.push(this.#nodeRow(node, now));
    if (wants('storage') && sight.may('Datastore.Audit')) others.push(...this.#storageRows());
    if (type === undefined && sight.may('Pool.Audit')) others.push(...this.#poolRows());
    if (wants('sdn') && sight.may('SDN.Audit')) others.push(...this.#networkRows());
    for (const row of others) rows.push(wireText(row, sight.random));
    return rows;
  }

  #guestRow(guest: Guest, now: number): string {
    if (!this.#sight.hasStatistics(guest, now)) return wireText(this.#always(guest, 'unknown'), this.#sight.random);
    const uptime = isListedRunning(guest) ? uptimeOf(guest.startedAt, now) : 0;
    const row = this.#partsOf(guest, now);
    return `{${row.before}${uptime},${row.after}}`;
  }

  /** All of a row but its uptime. Figures that nobody relies on are made anew once a minute, not all guests at once. */
  #partsOf(guest: Guest, now: number): RowParts {
    const minute = Math.floor(now / 60_000 + guest.vmid / 7);
    const known = this.#parts.get(guest);
    if (known?.minute === minute) return known;
    const fixed = known?.fixed ?? this.#fixedPairs(guest);
    const { cpu, mem, disk, netin, netout, diskread, diskwrite } = guestFigures(guest, now);
    const memhost = this.#sight.estate.version === '9.1' && mem > 0 ? mem + 33_554_432 : undefined;
    const figures = pairsOf({ cpu, mem, memhost, disk, netin, netout, diskread, diskwrite }, this.#sight.random);
    const pairs = shuffled(this.#sight.random, [...fixed, ...figures]);
    const cut = below(this.#sight.random, pairs.length);
    const before = pairs
      .slice(0, cut)
      .map((pair) => `${pair},`)
      .join('');
    const made = { minute, fixed, before: `${before}"uptime":`, after: pairs.slice(cut).join(',') };
    this.#parts.set(guest, made);
    return made;
  }

  #fixedPairs(guest: Guest): readonly string[] {
    const { name, template, cores, memoryMiB, diskGiB } = guest;
    const limits = { name, template: template ? 1 : 0, maxcpu: cores, maxmem: memoryMiB * MIB, maxdisk: diskGiB * GIB };
    const always = this.#always(guest, isListedRunning(guest) ? 'running' : 'stopped');
    return pairsOf({ ...always, ...limits }, this.#sight.random);
  }

  /** What is told of a guest also without statistics. */
  #always({ vmid, kind, node, pool, tags, lock, ha }: Guest, status: string): object {
    return {
      ...{ id: `${kind}/${vmid}`, vmid, node, type: kind, status },
      pool: pool !== null && this.#sight.may('Pool.Audit') ? pool : undefined,
      tags: tags.length === 0 ? undefined : tags.join(';'),
      ...{ lock: lock ?? undefined, hastate: ha ?? undefined },
    };
  }

  #nodeRow(node: SimNode, now: number): object {
    const { estate } = this.#sight;
    const state = this.#sight.nodeState(node);
    const row = {
      ...{ id: `node/${node.name}`, node: node.name, type: 'node' },
      status: state === 'offline' ? 'offline' : 'online',
      hastate: estate.version === '7.4' ? undefined : state === 'offline' ? undefined : state,
    };
    if (!this.#sight.may('Sys.Audit')) return row;
    const limits = { level: '', maxcpu: node.cores, maxmem: node.memoryBytes, maxdisk: node.diskBytes };
    return state === 'offline'
      ? { ...row, ...limits }
      : { ...row, ...limits, 'cgroup-mode': 2, ...nodeFigures(node, now) };
  }

  /** Shared storage has a row a node as well. */
  #storageRows(): object[] {
    const { estate } = this.#sight;
    return estate.nodes().flatMap((node) =>
      STORAGES.map(({ storage, plugintype, content, shared }) => {
        const offline = this.#sight.nodeState(node) === 'offline';
        return {
          ...{ id: `storage/${node.name}/${storage}`, storage, node: node.name, type: 'storage', plugintype, content },
          ...{ shared, status: offline ? 'unknown' : 'available' },
          ...(offline ? {} : { disk: Math.floor(node.diskBytes / 3), maxdisk: node.diskBytes }),
        };
      }),
    );
  }

  #poolRows(): object[] {
    const pools = new Set(this.#sight.guests().flatMap(({ pool }) => pool ?? []));
    return [...pools].map((pool) => ({ id: `/pool/${pool}`, pool, type: 'pool' }));
  }

  #networkRows(): object[] {
    const { estate } = this.#sight;
    const isNew = estate.version === '9.1';
    return estate.nodes().map((node) => {
      const status = this.#sight.nodeState(node) === 'offline' ? 'unknown' : 'ok';
      return isNew
        ? {
            ...{ id: `network/${node.name}/zone/localnetwork`, type: 'network', network: 'localnetwork' },
            ...{ 'network-type': 'zone', 'zone-type': 'localnetwork', node: node.name, status },
          }
        : { id: `sdn/${node.name}/localnetwork`, type: 'sdn', sdn: 'localnetwork', node: node.name, status };
    });
  }
}

const STORAGES = [
  { storage: 'local', plugintype: 'dir', content: 'iso,vztmpl,backup', shared: 0 },
  { storage: 'local-lvm', plugintype: 'lvmthin', content: 'images,rootdir', shared: 0 },
  { storage: 'backup', plugintype: 'pbs', content: 'backup', shared: 1 },
] as const;
