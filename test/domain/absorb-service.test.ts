import { describe, expect, it } from 'vitest';
import { absorbService } from '../../src/domain/absorb-service.js';
import { learn } from '../../src/domain/learn/learn.js';
import type {
  HardwareHealth,
  HardwarePart,
  HardwareReport,
  HardwareSection,
  ObservedRecord,
  RecordKind,
  ServiceObservation,
} from '../../src/domain/record.js';
import { DAY, HOUR, isoTime, MINUTE } from '../../src/domain/time.js';
import { type Batch, neverCollected } from '../../src/domain/version.js';
import { emptyView, type InventoryView } from '../../src/domain/view.js';
import { Shelf } from '../testkit/domain-shelf.js';
import { aContract, ip, mac, SETTINGS, THEN } from '../testkit/view.js';

/** One service that is read again and again, as a replica keeps what comes of it. */
class Service {
  readonly #shelf = new Shelf();
  view: InventoryView = emptyView(aContract());
  constructor(
    readonly source: string,
    readonly kind: 'npm' | 'ip_neigh' | 'hardware' | 'unifi',
  ) {}

  see(askedAt: number, records: readonly ObservedRecord[], more: Partial<ServiceObservation> = {}): Batch {
    const state =
      this.view.services.get(this.source) ?? neverCollected({ source: this.source, kind: this.kind, cluster: 'main' });
    const complete = [...new Set(records.map(({ kind }) => kind))];
    const seen = { askedAt, records, complete, nodes: null, notes: [], ...more };
    const batch = absorbService(this.view, state, seen, askedAt + 5);
    this.view = learn(this.view, this.#shelf.apply(batch), SETTINGS);
    return batch;
  }
  keys(kind: RecordKind): readonly string[] {
    return [...this.view.records[kind].values()].map(({ key }) => key).sort();
  }
}

/** `put npm.proxy_host 1`, `end npm.proxy_host 2`. */
const writes = ({ writes: list }: Batch) =>
  list.map(
    (write) =>
      `${write.op} ${(write.op === 'put' ? write.version : write.key).kind} ${(write.op === 'put' ? write.version : write.key).key}`,
  );

const certificate = (id: number, name = 'x'): ObservedRecord => ({
  kind: 'npm.certificate',
  key: String(id),
  seenAt: null,
  body: { id, provider: 'letsencrypt', name, domainNames: [name], notAfter: null },
});

describe('a service that was read', () => {
  it('writes what is new or different, ends what is gone, and says nothing where nothing changed', () => {
    const npm = new Service('npm:edge', 'npm');
    expect(writes(npm.see(THEN, [certificate(1), certificate(2)]))).toEqual([
      'put npm.certificate 1',
      'put npm.certificate 2',
    ]);
    expect(writes(npm.see(THEN + HOUR, [certificate(1), certificate(2)]))).toEqual([]);
    expect(writes(npm.see(THEN + 2 * HOUR, [certificate(1, 'y')]))).toEqual([
      'put npm.certificate 1',
      'end npm.certificate 2',
    ]);
    expect(npm.keys('npm.certificate')).toEqual(['1']);
  });

  it('keeps the last word of a kind that could not be read completely', () => {
    const npm = new Service('npm:edge', 'npm');
    npm.see(THEN, [certificate(1), certificate(2)]);
    expect(writes(npm.see(THEN + HOUR, [certificate(1)], { complete: [] }))).toEqual([]);
    expect(npm.keys('npm.certificate')).toEqual(['1', '2']);
  });

  it('knows of a change between two reads of it that it came between them, and of the first look nothing', () => {
    const npm = new Service('npm:edge', 'npm');
    npm.see(THEN, [certificate(1)]);
    npm.see(THEN + HOUR, [certificate(1), certificate(2)]);
    const since = [...npm.view.records['npm.certificate'].values()].map(({ key, since: interval }) => [key, interval]);
    expect(since).toEqual([
      ['1', { after: null, before: null }],
      ['2', { after: THEN, before: THEN + HOUR }],
    ]);
  });

  it('is good again, with the notes of this time', () => {
    const npm = new Service('npm:edge', 'npm');
    const { state } = npm.see(THEN, [], { notes: ['streams are not in this version'] });
    expect(state).toMatchObject({ outcome: 'OBSERVED', notes: ['streams are not in this version'], failures: 0 });
    expect([state.firstSuccessAt, state.lastSuccessAt, state.lastAttemptAt].map((at) => isoTime(at ?? 0))).toEqual(
      [THEN, THEN, THEN + 5].map(isoTime),
    );
  });

  it('does not touch what another service of the same kind said', () => {
    const npm = new Service('npm:edge', 'npm');
    npm.see(THEN, [certificate(1)]);
    const other = new Service('npm:inner', 'npm');
    other.view = npm.view;
    expect(writes(other.see(THEN + HOUR, [], { complete: ['npm.certificate'] }))).toEqual([]);
    expect(other.keys('npm.certificate')).toEqual(['1']);
  });
});

const neighbour = (address: string, seenAt: number | null, of = 'bc:24:11:00:00:01'): ObservedRecord => ({
  kind: 'neighbour',
  key: `vmbr0/${address}`,
  seenAt,
  body: { host: 'pve1', address: ip(address), mac: mac(of), device: 'vmbr0', router: false, secondHand: false },
});
const lastSeen = (service: Service) =>
  [...service.view.records.neighbour.values()].map(({ key, seenAt }) => [key, seenAt]);

describe('an address that answered once', () => {
  const silent = (at: number) => [at, [], { complete: ['neighbour' as const] }] as const;

  it('stays while it is silent, and is forgotten when it was for 30 days', () => {
    const neigh = new Service('ip_neigh:main/pve1', 'ip_neigh');
    neigh.see(THEN, [neighbour('10.0.0.5', THEN)]);
    expect(writes(neigh.see(...silent(THEN + 30 * DAY)))).toEqual([]);
    expect(writes(neigh.see(...silent(THEN + 30 * DAY + 1)))).toEqual(['end neighbour vmbr0/10.0.0.5']);
  });

  it('that was only remembered at the very first look is forgotten no sooner', () => {
    const neigh = new Service('ip_neigh:main/pve1', 'ip_neigh');
    neigh.see(THEN, [neighbour('10.0.0.5', null)]);
    expect(writes(neigh.see(...silent(THEN + 15 * MINUTE)))).toEqual([]);
    expect(writes(neigh.see(...silent(THEN + 31 * DAY)))).toEqual(['end neighbour vmbr0/10.0.0.5']);
  });

  it('is remembered by when it last answered: a later look that only remembers it takes nothing away, and writes nothing', () => {
    const neigh = new Service('ip_neigh:main/pve1', 'ip_neigh');
    neigh.see(THEN, [neighbour('10.0.0.5', THEN)]);
    const { writes: none, reads } = neigh.see(THEN + HOUR, [neighbour('10.0.0.5', null)]);
    expect([none, reads]).toEqual([[], []]);
    neigh.see(THEN + 2 * HOUR, [neighbour('10.0.0.5', THEN + 2 * HOUR)]);
    expect(lastSeen(neigh)).toEqual([['vmbr0/10.0.0.5', THEN + 2 * HOUR]]);
  });

  it('with another MAC is another word: that the one before answered is nothing to it', () => {
    const neigh = new Service('ip_neigh:main/pve1', 'ip_neigh');
    neigh.see(THEN, [neighbour('10.0.0.5', THEN)]);
    neigh.see(THEN + HOUR, [neighbour('10.0.0.5', null, 'bc:24:11:00:00:02')]);
    expect(lastSeen(neigh)).toEqual([['vmbr0/10.0.0.5', null]]);
  });
});

const part = (section: HardwareSection, place: string, more: Partial<HardwarePart> = {}): HardwarePart => ({
  ...{ section, place, vendor: 'Maker', model: 'Model', serial: null, sizeBytes: null, detail: null },
  ...more,
});
const report = (sections: readonly HardwareSection[], ...parts: HardwarePart[]): HardwareReport => ({
  by: 'SSH',
  sections,
  parts,
});
const hardware = (body: HardwareReport, node = 'pve1'): ObservedRecord => ({
  kind: 'hardware',
  key: node,
  seenAt: null,
  body,
});
const health = (...disks: HardwareHealth['disks'][number][]): ObservedRecord => ({
  ...{ kind: 'hardware.health', key: 'pve1', seenAt: null },
  body: { by: 'SSH', disks },
});
const disk = (name: string, verdict: 'PASSED' | 'FAILED' | 'UNKNOWN', counters: readonly string[] = []) => ({
  ...{ disk: name, device: '/dev/sda', model: 'Model', verdict, lifeLeftPercent: null, counters },
});
const bodyOf = (service: Service, kind: RecordKind) => [...service.view.records[kind].values()].map(({ body }) => body);

describe('the hardware of a node', () => {
  const cpu = part('cpus', 'CPU1');
  const dimm = part('memory', 'A1', { serial: '1' });
  const bigger = part('memory', 'A1', { serial: '2' });
  const nic = part('network', '0000:01:00.0', { detail: 'bc:24:11:00:00:01' });

  it('is accepted as it is at the first look; what comes later is held against that', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [hardware(report(['memory'], dimm))]);
    pve.see(THEN + DAY, [hardware(report(['memory'], bigger))]);
    expect(bodyOf(pve, 'hardware')).toEqual([report(['memory'], bigger)]);
    expect(bodyOf(pve, 'hardware.accepted')).toEqual([report(['memory'], dimm)]);
  });

  it('keeps the parts of a section that nobody could read this time, and writes nothing for it', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [hardware(report(['cpus', 'memory'], cpu, dimm))]);
    expect(writes(pve.see(THEN + DAY, [hardware(report(['cpus'], cpu))]))).toEqual([]);
    expect(bodyOf(pve, 'hardware')).toEqual([report(['cpus', 'memory'], cpu, dimm)]);
  });

  it('loses the parts of a section that was read without them', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [hardware(report(['cpus', 'memory'], cpu, dimm))]);
    pve.see(THEN + DAY, [hardware(report(['cpus', 'memory'], cpu))]);
    expect(bodyOf(pve, 'hardware')).toEqual([report(['cpus', 'memory'], cpu)]);
  });

  it('in a section that is read for the first time is accepted too: a tool was installed, and no part', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [hardware(report(['memory'], dimm))]);
    pve.see(THEN + DAY, [hardware(report(['cpus', 'memory'], cpu, dimm))]);
    expect(bodyOf(pve, 'hardware.accepted')).toEqual([report(['cpus', 'memory'], cpu, dimm)]);
  });

  it('keeps the MAC of a card that is lent to a guest, and accepts one that shows it later', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    const lent = { ...nic, detail: null };
    pve.see(THEN, [hardware(report(['network'], lent))]);
    pve.see(THEN + DAY, [hardware(report(['network'], nic))]);
    expect(writes(pve.see(THEN + 2 * DAY, [hardware(report(['network'], lent))]))).toEqual([]);
    expect(bodyOf(pve, 'hardware')).toEqual(bodyOf(pve, 'hardware.accepted'));
    expect(bodyOf(pve, 'hardware')).toEqual([report(['network'], nic)]);
  });

  it('takes nothing over from another card in the same place', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [hardware(report(['network'], nic))]);
    const other = { ...nic, model: 'Other', detail: null };
    pve.see(THEN + DAY, [hardware(report(['network'], other))]);
    expect(bodyOf(pve, 'hardware')).toEqual([report(['network'], other)]);
    expect(bodyOf(pve, 'hardware.accepted')).toEqual([report(['network'], nic)]);
  });

  it('of a node that was not read stays, and that of one that was read and has none goes', () => {
    const api = new Service('hardware:main', 'hardware');
    api.see(THEN, [hardware(report(['cpus'], cpu), 'pve1'), hardware(report(['cpus'], cpu), 'pve2')], {
      nodes: ['pve1', 'pve2'],
    });
    const only = [hardware(report(['cpus'], cpu), 'pve1')];
    expect(writes(api.see(THEN + DAY, only, { nodes: ['pve1'] }))).toEqual([]);
    expect(writes(api.see(THEN + 2 * DAY, only, { nodes: null }))).toEqual(['end hardware pve2']);
  });
});

describe("the health of a node's disks", () => {
  it('keeps the last word of a disk that says nothing this time', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [health(disk('A', 'FAILED', ['reallocated sectors: 8']), disk('B', 'PASSED'))]);
    expect(writes(pve.see(THEN + DAY, [health(disk('A', 'UNKNOWN'), disk('B', 'PASSED'))]))).toEqual([]);
  });

  it('forgets a disk that is not there any more, and believes what is said anew', () => {
    const pve = new Service('hardware:main/pve1', 'hardware');
    pve.see(THEN, [health(disk('A', 'FAILED'), disk('B', 'PASSED'))]);
    pve.see(THEN + DAY, [health(disk('B', 'FAILED'), disk('C', 'UNKNOWN'))]);
    expect(bodyOf(pve, 'hardware.health')).toEqual([{ by: 'SSH', disks: [disk('B', 'FAILED'), disk('C', 'UNKNOWN')] }]);
  });
});
