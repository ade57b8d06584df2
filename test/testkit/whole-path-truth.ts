import type { Declaration, GuestDeclaration, VmDeclaration } from '../../src/domain/declaration.js';
import { DAY } from '../../src/domain/time.js';
import { TABLE } from './domain-declared.js';
import { DCIM } from './domain-netbox.js';
import type { TrueGuest } from './estate-model.js';
import type { WholePath } from './whole-path.js';
import type { Surroundings } from './whole-path-services.js';

/** What table and NetBox write of a VMID. */
export function saying({ world }: WholePath, vmid: number): readonly (GuestDeclaration | VmDeclaration)[] {
  return [TABLE, DCIM].flatMap((name) => ofGuest(world.written.get(name) ?? [], vmid));
}

/** The rows that are about a VMID. */
export function ofGuest(rows: Iterable<Declaration>, vmid: number): readonly (GuestDeclaration | VmDeclaration)[] {
  const found: (GuestDeclaration | VmDeclaration)[] = [];
  for (const row of rows)
    if ((row.kind === 'guest' && row.from === vmid) || (row.kind === 'vm' && row.vmid === vmid)) found.push(row);
  return found;
}

/** What the world and the table say of names, presence and declarations, worked out without the product. */
export function checkTruth(path: WholePath): void {
  const { world } = path;
  const view = path.leader.replica.view();
  const so = path.comparison().so;
  const claim = (id: string, is: boolean) => {
    const isTold = view.findings.byId.has(id) || so.get(id)?.swallowedBy !== undefined;
    path.holds(`law 3: the world says whether ${id}`, so.has(id) && isTold, is);
  };
  for (const [key, guest] of world.estate.guests) {
    const known = view.guestsByKey.get(key);
    path.holds(`law 6: ${key} is known`, known?.row.node, guest.node);
    const rows = saying(path, guest.vmid);
    const row = rows.find((one) => one.kind === 'guest');
    claim(`GUEST_NOT_DECLARED:${known?.id}:`, rows.length === 0 && !isInTheMaking(guest));
    if (row !== undefined) claim(`NAME_DIFFERS:${known?.id}:name`, row.name !== null && row.name !== guest.name);
    if (row?.kind === 'guest') claim(`NODE_DIFFERS:${known?.id}:node`, isMisplaced(row, guest));
    const word = row?.status?.means;
    if ((word === 'running' || word === 'stopped') && !isAtWork(guest))
      claim(`STATUS_DIFFERS:${known?.id}:status`, (guest.power === 'STOPPED') !== (word === 'stopped'));
  }
  for (const vmid of [100, 101, 102, 200]) {
    const key = `${vmid === 200 ? 'lab' : 'main'}/${vmid}`;
    const rows = saying(path, vmid);
    if (rows.some((row) => row.status?.means === 'planned')) continue;
    claim(`GUEST_MISSING:${key}:`, rows.length > 0 && !world.estate.guests.has(key));
  }
  if (world.around !== null) checkAround(path, world.around, claim);
}

const isInTheMaking = ({ lock }: TrueGuest) => lock === 'create' || lock === 'clone';

/** What backs a guest up, moves it or takes a picture of it starts and stops it as it likes. */
const isAtWork = ({ lock }: TrueGuest) => lock !== null && lock !== 'suspended';

/** Under HA the manager places it. */
function isMisplaced({ node }: GuestDeclaration, guest: TrueGuest): boolean {
  return node !== null && node !== guest.node && guest.ha === null;
}

type Claim = (id: string, is: boolean) => void;

/** What the proxy and the wires say of the guests, given who has which address. */
function checkAround(path: WholePath, { proxyHosts, certificateEnds, strangers }: Surroundings, claim: Claim): void {
  const { world } = path;
  const view = path.leader.replica.view();
  claim('CERTIFICATE_EXPIRING:edge/5:', certificateEnds - world.now <= 30 * DAY);
  const carriers = (text: string) =>
    [...view.guests.values()]
      .filter(({ carried }) => carried.some(({ address }) => address === text))
      .flatMap(({ key }) => world.estate.guests.get(key) ?? []);
  for (const [id, { to, enabled }] of proxyHosts) {
    const guests = carriers(to);
    const isRunning = guests.some((guest) => guest.power !== 'STOPPED' && !isAtWork(guest));
    if (isRunning || !enabled || guests.length === 0) claim(`PROXY_TARGET_STOPPED:edge/${id}:${to}:80`, false);
    else if (!guests.some(isAtWork)) claim(`PROXY_TARGET_STOPPED:edge/${id}:${to}:80`, true);
    const isKnown = guests.length > 0 || isWritten(path, to) || strangers.has(to);
    if (isKnown || !enabled) claim(`PROXY_TARGET_UNKNOWN:edge/${id}:${to}:80`, false);
  }
  const macs = [...world.estate.guests.values()].flatMap(({ devices }) => devices.map(({ mac }) => mac));
  for (const [address, mac] of strangers) {
    const isHad = carriers(address).some(({ power, agent, kind }) => power === 'RUNNING' && (agent || kind === 'LXC'));
    if (isHad && !macs.includes(mac)) claim(`ADDRESS_ANSWERED_BY_OTHER:${address}:`, true);
  }
}

function isWritten({ world }: WholePath, text: string): boolean {
  const rows = [...world.written.values()].flat();
  return rows.some((row) => {
    if (row.kind === 'address') return row.address === text;
    if (row.kind === 'guest') return row.addresses.some((address) => address === text);
    return row.kind === 'vm' && row.addresses.some(({ address }) => address === text);
  });
}
