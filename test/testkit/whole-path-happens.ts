import type { Declaration } from '../../src/domain/declaration.js';
import { DAY, HOUR, SECOND } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from './domain-declared.js';
import { DCIM, vm } from './domain-netbox.js';
import type { TrueGuest } from './estate-model.js';
import type { WholePath } from './whole-path.js';
import type { Beginning } from './whole-path-days.js';
import { type Happening, LOSABLE, type OfGuest, type Written } from './whole-path-happenings.js';
import { OBSERVERS, Surroundings } from './whole-path-services.js';
import type { World } from './whole-path-world.js';

const clusterOf = (own: number) => (own === 200 ? 'lab' : 'main');
const ipOf = (end: number) => `10.0.0.${end}`;
/** How often a VMID was used: each guest under it has a uuid and a MAC of its own. */
const uses = new WeakMap<World, Map<number, number>>();

export function begin(world: World, { guests, lines, around }: Beginning): void {
  for (const { vmid: own, there, name: called, address, kind } of guests)
    if (there) make(world, own, { name: called, address, kind });
    else world.estate.remove(own, clusterOf(own));
  const rows = guests.flatMap(({ vmid: own, row: said }) => (said === null ? [] : [rowOf(own, said)]));
  world.written.set(TABLE, [...rows, row({ vmid: 900, cluster: 'elsewhere' })]);
  world.written.set(
    DCIM,
    guests.flatMap(({ vmid: own, netbox }) => (netbox === null ? [] : [vmOf(own, netbox)])),
  );
  world.written.set(CONF, linesOf(lines));
  if (around === null) return;
  world.around = new Surroundings(world.now + (around.days - 60) * DAY);
  for (const [i, end] of around.targets.entries()) world.around.proxyHosts.set(i + 1, { to: ipOf(end), enabled: true });
}

/** The file always has a line: an empty one is a file that was lost. */
function linesOf(ends: readonly number[]): readonly Declaration[] {
  return [line('SPARE', '10.9.9.9'), ...ends.map((end) => line(`LINE_${end}`, ipOf(end)))];
}

function make(
  world: World,
  own: number,
  { name: called, address, kind }: { name: string; address: number; kind: string },
) {
  const before = uses.get(world)?.get(own) ?? 0;
  // Whoever is there stays who it is.
  const count = world.estate.guests.has(`${clusterOf(own)}/${own}`) ? before : before + 1;
  uses.set(world, (uses.get(world) ?? new Map<number, number>()).set(own, count));
  const hex = (n: number) => n.toString(16).padStart(2, '0');
  const fixed = kind === 'agent' ? null : `${ipOf(address)}/24`;
  world.estate.guest({
    ...{ vmid: own, cluster: clusterOf(own), name: called, node: own === 200 ? 'lab1' : 'pve1' },
    ...{ kind: kind === 'container' ? 'LXC' : 'QEMU', agent: kind !== 'static', startedAt: world.now - HOUR },
    uuid: `00000000-0000-4000-8000-${String(own * 100 + count).padStart(12, '0')}`,
    devices: [{ mac: `bc:24:11:${hex(count)}:00:${hex(own % 256)}`, ip4: fixed, shows: [ipOf(address)] }],
  });
}

function rowOf(own: number, { name: called, node, address, status: word }: Written): Declaration {
  const addresses = address === null ? [] : [ipOf(address)];
  const place = node !== null && own === 200 ? 'lab1' : node;
  return row({ vmid: own, cluster: clusterOf(own), name: called, node: place, status: word, addresses });
}

function vmOf(own: number, end: number): Declaration {
  return vm({ id: own, vmid: own, clusterName: clusterOf(own), addresses: [ipOf(end)] });
}

/** Lets a guest change in the world, or what is written of it; gives what happened in words. */
function happenTo(world: World, own: number, change: OfGuest): string | undefined {
  const key = `${clusterOf(own)}/${own}`;
  const guest = world.estate.guests.get(key);
  const said = `${key} ${change.what}`;
  switch (change.what) {
    case 'is written as':
      write(world, TABLE, `${own}#1`, change.row === null ? undefined : rowOf(own, change.row));
      return `${said} ${JSON.stringify(change.row)} in the table`;
    case 'is in NetBox':
      write(world, DCIM, `vm/${own}`, change.last === null ? undefined : vmOf(own, change.last));
      return `${said}: ${change.last === null ? 'no more' : ipOf(change.last)}`;
    case 'is made':
    case 'is being cloned':
    case 'is being created':
      if (guest !== undefined) return undefined;
      make(world, own, { name: 'web', address: 2, kind: 'agent' });
      if (change.what !== 'is made')
        world.estate.guest({
          ...{ vmid: own, cluster: clusterOf(own), power: 'STOPPED' },
          lock: change.what === 'is being cloned' ? 'clone' : 'create',
        });
      return said;
  }
  return guest === undefined ? undefined : changed(world, guest, change);
}

type Change = Exclude<OfGuest, { what: 'is written as' | 'is in NetBox' }>;
/** What Proxmox refuses to do to a guest that is locked. */
const REFUSED = new Set<string>(['moves', 'stops', 'starts', 'goes', 'is made anew', 'is locked']);

function changed(world: World, guest: TrueGuest, change: Change): string | undefined {
  const { vmid: own, cluster, kind, node, power, devices } = guest;
  const said = `${cluster}/${own} ${change.what}`;
  if (guest.lock !== null && REFUSED.has(change.what)) return undefined;
  const be = (wish: Partial<TrueGuest>) => {
    const { devices: _, ...rest } = wish;
    world.estate.guest({ vmid: own, cluster, ...rest });
  };
  switch (change.what) {
    case 'is called':
      be({ name: change.name });
      return `${said} ${change.name}`;
    case 'gets address': {
      const fixed = devices[0]?.ip4 === null ? null : `${ipOf(change.last)}/24`;
      world.estate.guest({ vmid: own, cluster, devices: [{ ip4: fixed, shows: [ipOf(change.last)] }] });
      return `${said} ${ipOf(change.last)}`;
    }
    case 'moves':
      if (cluster === 'lab') return undefined;
      be({ node: elsewhere(node), startedAt: power === 'STOPPED' ? guest.startedAt : world.now });
      return said;
    case 'stops':
      world.estate.stop(own, cluster);
      return said;
    case 'starts':
      if (power === 'STOPPED') world.estate.start(own, cluster, 20 * SECOND);
      return said;
    case 'goes':
      world.estate.remove(own, cluster);
      return said;
    case 'is made anew':
      world.estate.remove(own, cluster);
      make(world, own, { name: 'mail', address: 4, kind: kind === 'LXC' ? 'agent' : 'container' });
      return said;
    case 'hides':
      be({ listed: false });
      return said;
    case 'mutes its agent':
      be({ agentDead: true });
      return said;
    case 'has no rrd data':
      be({ tracked: false });
      return said;
    case 'is under HA':
      be({ ha: 'started' });
      return said;
    case 'leaves HA':
      be({ ha: null });
      return said;
    case 'is recovered elsewhere':
      // The manager fences its node, or moves it away, and starts it there.
      if (guest.ha === null || guest.lock !== null || cluster === 'lab') return undefined;
      be({ ha: 'started', node: elsewhere(node) });
      world.estate.start(own, cluster, 40 * SECOND);
      return said;
    case 'fails under HA':
      if (guest.ha === null || guest.lock !== null) return undefined;
      be({ ha: 'error', power: 'STOPPED' });
      return said;
    case 'is locked':
      be({ lock: change.lock, power: powerUnder(change.lock, guest) });
      return `${said} for ${change.lock}`;
    case 'is unlocked':
      return unlocked(world, guest) ? said : undefined;
    case 'is made':
    case 'is being cloned':
    case 'is being created':
      return undefined;
  }
}

const elsewhere = (node: string) => (node === 'pve1' ? 'pve2' : 'pve1');

/** A backup in stop mode stops a guest, a snapshot pauses a VM, hibernation ends it; a migration leaves it running. */
function powerUnder(lock: string, { power, kind }: TrueGuest): TrueGuest['power'] {
  if (power === 'STOPPED' || lock === 'migrate') return power;
  return lock === 'snapshot' ? (kind === 'QEMU' ? 'PAUSED' : power) : 'STOPPED';
}

/** What held a guest is done: it goes on, here or, after a migration, elsewhere. Clones and new ones stay stopped. */
function unlocked(world: World, { lock, vmid: own, cluster, power, node }: TrueGuest): boolean {
  if (lock === null) return false;
  world.estate.guest({ vmid: own, cluster, lock: null });
  if (lock === 'snapshot' && power === 'PAUSED') world.estate.guest({ vmid: own, cluster, power: 'RUNNING' });
  if (lock === 'backup' || lock === 'suspended') world.estate.start(own, cluster, 30 * SECOND);
  if (lock === 'migrate' && cluster === 'main')
    world.estate.guest({ vmid: own, cluster, node: elsewhere(node), startedAt: world.now });
  return true;
}

function write(world: World, source: string, key: string, next: Declaration | undefined): void {
  const rest = (world.written.get(source) ?? []).filter((one) => one.key !== key);
  world.written.set(source, next === undefined ? rest : [...rest, next].sort((a, b) => (a.key < b.key ? -1 : 1)));
}

/** Everything can be seen again, and every clock is right. */
export function light({ world, servers }: Pick<WholePath, 'world' | 'servers'>): void {
  world.dark.clear();
  for (const node of ['pve1', 'pve2']) world.estate.node(node, { online: true });
  world.estate.cluster('main').quorate = true;
  for (const { vmid: own, cluster } of world.estate.guests.values())
    world.estate.guest({ vmid: own, cluster, listed: true, agentDead: false, tracked: true });
  for (const { clock } of servers) clock.skew = 0;
}

function happensAround(
  { around, now }: World,
  one: Extract<Happening, { of: 'proxy host' | 'certificate' | 'stranger' }>,
): string | undefined {
  if (around === null) return undefined;
  switch (one.of) {
    case 'proxy host':
      around.proxyHosts.set(one.id, { to: ipOf(one.to), enabled: one.enabled });
      return `proxy host ${one.id} sends to ${ipOf(one.to)}${one.enabled ? '' : ', and is switched off'}`;
    case 'certificate':
      around.certificateEnds = now + one.days * DAY;
      return `the certificate is renewed for ${one.days} days`;
    case 'stranger':
      if (one.mac === null)
        return around.strangers.delete(ipOf(one.last)) ? `${ipOf(one.last)} is left alone` : undefined;
      around.strangers.set(ipOf(one.last), one.mac);
      return `${one.mac} answers for ${ipOf(one.last)}`;
  }
}

const isThere = ({ around }: World, what: string) => around !== null || OBSERVERS.every(({ name }) => name !== what);

/** Changes of the outside; gives what happened in words, or undefined where it is for the gateway. */
export function happens(world: World, one: Happening): string | undefined {
  switch (one.of) {
    case 'guest':
      return happenTo(world, one.vmid, one);
    case 'conf':
      world.written.set(CONF, linesOf(one.lines));
      return `the address file says ${one.lines.map(ipOf).join(', ')}`;
    case 'dark':
      if (!isThere(world, one.what)) return undefined;
      world.dark.add(one.what);
      return `${one.what} is out of reach`;
    case 'all dark':
      for (const what of LOSABLE) if (isThere(world, what)) world.dark.add(what);
      return 'everything is out of reach';
    case 'node':
      world.estate.node(one.node, { online: false });
      return `${one.node} goes down`;
    case 'proxy host':
    case 'certificate':
    case 'stranger':
      return happensAround(world, one);
    case 'quorum':
      world.estate.cluster('main').quorate = false;
      return 'main loses its quorum';
    default:
      return undefined;
  }
}
