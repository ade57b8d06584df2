import type { Declaration } from '../../src/domain/declaration.js';
import { MINUTE, SECOND } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from './domain-declared.js';
import type { Estate } from './estate-model.js';

/** What the days of an estate need of whoever plays them. */
export interface Played {
  readonly estate: Estate;
  /** A declared source is saved with these rows. */
  write(name: string, rows: readonly Declaration[]): unknown;
  lose(name: string, reason: string): unknown;
  /** The cluster does not answer for once. */
  unreachable(): unknown;
}

/** Something that happens on any day, as steps with a pause after each. `null`: ten seconds of a collector's life. */
type Happening = (run: Played, vmid: number) => Generator<number, void>;

const other = (node: string) => (node === 'pve1' ? 'pve2' : 'pve1');
const of = (estate: Estate, vmid: number) => estate.guest({ vmid });

/** Live migration there and, well within the hour, back. QEMU starts anew on the target, and its uptime with it. */
function* migration({ estate }: Played, vmid: number) {
  const { node } = of(estate, vmid);
  for (const to of [other(node), node]) {
    estate.guest({ vmid, lock: 'migrate' });
    yield 30 * SECOND;
    estate.guest({ vmid, lock: null, node: to, startedAt: estate.now });
    yield 8 * MINUTE;
  }
}

function* relocation({ estate }: Played, vmid: number) {
  const { node } = of(estate, vmid);
  estate.guest({ vmid, ha: 'relocate', power: 'STOPPED' });
  yield 40 * SECOND;
  estate.guest({ vmid, ha: 'started', node: other(node) });
  estate.start(vmid, 'main', 40 * SECOND);
  yield 90 * MINUTE;
  estate.guest({ vmid, node });
  estate.start(vmid, 'main', 40 * SECOND);
  yield MINUTE;
  estate.guest({ vmid, ha: null });
  yield MINUTE;
}

/** HA empties a node, it is rebooted, and gets its guests back. */
function* maintenance({ estate }: Played, vmid: number) {
  const { node } = of(estate, vmid);
  const there = [...estate.guests.values()].filter((guest) => guest.node === node);
  for (const guest of there) estate.guest({ vmid: guest.vmid, ha: 'started' });
  estate.node(node, { maintenance: true });
  yield 20 * SECOND;
  for (const guest of there) estate.guest({ vmid: guest.vmid, node: other(node), startedAt: estate.now });
  yield MINUTE;
  estate.node(node, { online: false });
  yield 10 * MINUTE;
  estate.node(node, { online: true, maintenance: false });
  yield 20 * SECOND;
  for (const guest of there) estate.guest({ vmid: guest.vmid, node, startedAt: estate.now });
  yield 20 * SECOND;
  for (const guest of there) estate.guest({ vmid: guest.vmid, ha: null });
  yield MINUTE;
}

/** A node loses its power for a while; its guests run again when it is back. */
function* blackout({ estate }: Played, vmid: number) {
  const { node } = of(estate, vmid);
  estate.node(node, { online: false });
  yield 12 * MINUTE;
  estate.node(node, { online: true });
  for (const guest of estate.guests.values())
    if (guest.node === node && guest.power !== 'STOPPED') estate.start(guest.vmid, 'main', 50 * SECOND);
  yield 3 * MINUTE;
}

/** Stop mode: locked, stopped for long, unlocked a moment before it is started. */
function* backup({ estate }: Played, vmid: number) {
  estate.guest({ vmid, lock: 'backup' });
  yield 10 * SECOND;
  estate.stop(vmid);
  yield 35 * MINUTE;
  estate.guest({ vmid, lock: null });
  yield 12 * SECOND;
  estate.start(vmid, 'main', 30 * SECOND);
  yield MINUTE;
}

/** Suspend mode and snapshots pause a guest; the lock says so. */
function* snapshot({ estate }: Played, vmid: number) {
  if (of(estate, vmid).kind === 'LXC') return;
  estate.guest({ vmid, lock: 'snapshot', power: 'PAUSED' });
  yield 7 * MINUTE;
  estate.guest({ vmid, lock: null, power: 'RUNNING' });
  yield MINUTE;
}

/** Right after the start the agent answers with nothing. */
function* reboot({ estate }: Played, vmid: number) {
  estate.stop(vmid);
  yield 25 * SECOND;
  estate.start(vmid, 'main', 75 * SECOND);
  yield 3 * MINUTE;
}

function* lease({ estate }: Played) {
  const last = 50 + (Math.floor(estate.now / 1_000) % 40);
  estate.guest({ vmid: 103, devices: [{ shows: [`10.0.0.${last}`, `fd00::${last}`] }] });
  yield 2 * MINUTE;
}

function* clone(run: Played) {
  const vmid = 110;
  if (run.estate.guests.has(`main/${vmid}`)) return;
  run.estate.guest({
    vmid,
    lock: 'clone',
    power: 'STOPPED',
    devices: [{ ip4: '10.0.0.160/24', shows: ['10.0.0.160'] }],
  });
  yield 20 * MINUTE;
  // Unlocked and written down between two polls.
  run.estate.guest({ vmid, lock: null });
  writeDown(run);
  yield 10 * SECOND;
  run.estate.start(vmid);
  yield 3 * MINUTE;
}

/** A VM appears at the source and in the declaration within one interval, whichever is first. */
function* provision(run: Played, vmid: number) {
  const fresh = 111 + (vmid % 2);
  if (run.estate.guests.has(`main/${fresh}`)) return;
  const address = `10.0.0.${fresh + 60}`;
  run.estate.guest({ vmid: fresh, startedAt: run.estate.now, devices: [{ ip4: `${address}/24`, shows: [address] }] });
  writeDown(run);
  yield 4 * MINUTE;
}

/** Guest and row get another address within one interval. */
function* renumber(run: Played) {
  const last = run.estate.guest({ vmid: 101 }).devices[0]?.shows[0] === '10.0.0.21' ? '10.0.0.31' : '10.0.0.21';
  run.estate.guest({ vmid: 101, devices: [{ shows: [last] }] });
  writeDown(run);
  yield 2 * MINUTE;
}

/** The file is emptied by an editor and saved again; the API is away for a while. */
function* hiccup(run: Played) {
  run.lose(TABLE, 'it is empty');
  yield 20 * SECOND;
  writeDown(run);
  run.unreachable();
  yield 10 * SECOND;
}

export const HAPPENINGS: Readonly<Record<string, Happening>> = {
  migration,
  relocation,
  maintenance,
  blackout,
  backup,
  snapshot,
  reboot,
  lease,
  clone,
  provision,
  renumber,
  hiccup,
};

/** Everything as it is, written down as it should be: the state of a well-kept estate. */
function writeDown(run: Played): void {
  const rows = [...run.estate.guests.values()]
    .filter((guest) => guest.lock !== 'clone')
    .map(({ vmid, name, devices }) => {
      const leased = devices.some(({ ip4 }) => ip4 === 'dhcp');
      const home = vmid % 2 === 0 ? 'pve1' : 'pve2';
      return row({
        vmid,
        name,
        node: vmid < 110 ? home : null,
        status: vmid < 110 ? 'running' : null,
        addresses: leased ? [] : devices.flatMap(({ shows }) => shows),
      });
    });
  run.write(TABLE, rows);
}

/** Four guests of which everything is written down as it is. */
export function beWellKept(run: Played): void {
  const { estate } = run;
  estate.guest({ vmid: 100, node: 'pve1', devices: [{ ip4: '10.0.0.20/24', shows: ['10.0.0.20'] }] });
  estate.guest({ vmid: 101, node: 'pve2', devices: [{ shows: ['10.0.0.21'] }] });
  estate.guest({ vmid: 102, node: 'pve1', kind: 'LXC', devices: [{ ip4: '10.0.0.22/24', shows: ['10.0.0.22'] }] });
  estate.guest({ vmid: 103, node: 'pve2', devices: [{ ip4: 'dhcp', shows: ['10.0.0.50'] }] });
  writeDown(run);
  run.write(CONF, [line('WEB', '10.0.0.20'), line('APP', '10.0.0.22')]);
}
