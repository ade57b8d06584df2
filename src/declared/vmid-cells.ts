import { type IpAddress, ipAddress, ipWithPrefix } from '../domain/address.js';
import { plainText, saysNothing } from './markdown-cell.js';
import { statusWord } from './status-word.js';
import { isGarbled } from './text-lines.js';

/** A VMID cell: one VMID or a range, perhaps with a name in parentheses; else why it cannot be read. */
export type VmidCell =
  | { readonly kind: 'vmids'; readonly from: number; readonly to: number; readonly hint: string | null }
  | { readonly kind: 'unreadable'; readonly reason: string };

const LOWEST_VMID = 100;
const HIGHEST_VMID = 999_999_999;
const WIDEST_RANGE = 1000;

export function vmidCell(cell: string): VmidCell {
  const text = plainText(cell);
  if (saysNothing(text)) return unreadable('the VMID cell is empty');
  if (isGarbled(cell)) return unreadable('the VMID cell holds bytes that are not text');
  const parts =
    /^(?:(?:vmid|vm|ctid|ct|lxc|qemu)[\s:/#-]*|#)?([1-9]\d{0,9})(?:\s*(?:-|–|—|−|\.{2,3}|…|\bto\b)\s*([1-9]\d{0,9}))?\s*(?:\(([^()]*)\))?$/i.exec(
      text,
    );
  if (parts === null) return unreadable(`"${text}" is neither a VMID nor a range such as 1000-1004`);
  const from = Number(parts[1]);
  const to = Number(parts[2] ?? parts[1]);
  if (from < LOWEST_VMID || to > HIGHEST_VMID)
    return unreadable(`"${text}" is outside of ${LOWEST_VMID} to ${HIGHEST_VMID}, where VMIDs live`);
  if (to < from) return unreadable(`the range "${text}" ends before it begins`);
  if (to - from >= WIDEST_RANGE) return unreadable(`the range "${text}" is wider than ${WIDEST_RANGE} VMIDs`);
  return { kind: 'vmids', from, to, hint: nameHint(parts[3]) };
}

function unreadable(reason: string): VmidCell {
  return { kind: 'unreadable', reason };
}

/** `5000 (blockscout-1)` names the guest; `5000 (stopped)` or `5000 (template)` says something else of it. */
function nameHint(text: string | undefined): string | null {
  const name = nameCell(text ?? '');
  if (typeof name !== 'string' || /^(?:old|new|template|lxc|ct|vm|qemu|kvm|container|ha|\d+)$/i.test(name)) return null;
  return statusWord(name)?.means === 'unclear' ? name : null;
}

/** null: the cell says nothing. undefined: it says something that cannot be a guest's name. */
export function nameCell(cell: string): string | null | undefined {
  const text = withoutNote(plainText(cell));
  if (saysNothing(text)) return null;
  return /^[\p{L}\p{N}](?:[\p{L}\p{N}._-]*[\p{L}\p{N}])?\.?$/u.test(text) && !isGarbled(cell) ? text : undefined;
}

/** A node's name, or its address; null: nothing said, undefined: unreadable. */
export function nodeCell(cell: string): string | null | undefined {
  const text = withoutNote(plainText(cell));
  if (saysNothing(text)) return null;
  const address = ipAddress(text);
  if (address !== undefined) return address;
  if (/^[\d.]+$/.test(text) && text.includes('.')) return undefined;
  return /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text) ? text : undefined;
}

function withoutNote(text: string): string {
  return text.replace(/\s+\([^()]*\)$/, '');
}

export interface AddressCell {
  readonly addresses: readonly IpAddress[];
  /** Words that could not be read as an address; then the cell covers nothing. */
  readonly doubtful: readonly string[];
}

/** Words that stand beside addresses, or instead of one, without being one. */
const BESIDE =
  /^(?:dhcp4?|dhcpv[46]|auto|slaac|static|dynamic|reserved|primary|secondary|and|or|ipv?[46]?|vip|via|lan|eth\d+|ens\d+|net\d+|vlan|vmbr\d+|[-–—/|+&]|dual|stack)$/i;

/** Every address of a cell: one or several, with or without prefix length, beside words such as `DHCP` or `eth0`. */
export function addressCell(cell: string): AddressCell {
  const text = plainText(cell);
  if (saysNothing(text)) return { addresses: [], doubtful: [] };
  const addresses = new Set<IpAddress>();
  const doubtful: string[] = [];
  const prose: string[] = [];
  for (const word of text.split(/[\s,;()]+/)) {
    const bare = word.replace(/^[[<"']+|[\]>"'.]+$/g, '').replace(/(?<=^[a-z]+\d*):$/i, '');
    if (bare === '' || BESIDE.test(bare) || saysNothing(bare)) continue;
    const read = addressesOf(bare);
    for (const address of read ?? []) addresses.add(address);
    if (read === undefined) (/^\p{L}{2,}$|^\d{1,4}$/u.test(bare) ? prose : doubtful).push(bare);
  }
  // A note beside an address is a note; a cell of nothing but words was meant to say something that we do not understand.
  return { addresses: [...addresses], doubtful: addresses.size === 0 ? [...doubtful, ...prose] : doubtful };
}

/** `10.0.0.5`, `10.0.0.5/24`, `10.0.0.5:8080`, `[fd00::5]`, `10.0.0.5/10.0.0.6`; undefined for anything else. */
function addressesOf(word: string): readonly IpAddress[] | undefined {
  const whole = ipWithPrefix(word.replace(/^([\d.]+):\d{1,5}$/, '$1'));
  if (whole !== undefined) return [whole.address];
  const parts = word.split(/[/+&]/).map(ipAddress);
  return parts.length > 1 && parts.every((part) => part !== undefined) ? parts : undefined;
}
