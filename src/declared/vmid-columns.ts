import { plainText } from './markdown-cell.js';

/** Where the columns of one table are that say something about guests; several may hold addresses. */
export interface VmidColumns {
  readonly vmid: number;
  readonly name: number | undefined;
  readonly node: number | undefined;
  readonly status: number | undefined;
  readonly cluster: number | undefined;
  readonly addresses: readonly number[];
}

const VMID =
  /^(?:proxmox|pve)?(?:vmct|ctvm|vmlxc|lxcvm|vm|ct|lxc|guest|container|qemu)ids?(?:ctids?|vmids?|range|ranges|number|s)?$/;
const ADDRESS =
  /^(?:(?:lan|internal|private|static|primary|local|guest|vm|container|ct)?ip(?:v?[46])?(?:address|addresses|addr|addrs|s|cidr|addresscidr)?|address|addresses|ipv4ipv6|ipv4v6)$/;

/** Words for each column, the likeliest first: a table with both `Host` and `Node` names the guest in `Host`. */
const NAMES = [
  'hostname',
  'name',
  'vmname',
  'guestname',
  'containername',
  'ctname',
  'fqdn',
  'guest',
  'vm',
  'container',
];
const NODES = ['node', 'pvenode', 'proxmoxnode', 'proxmoxhost', 'pvehost', 'nodename', 'hypervisor', 'pve', 'proxmox'];
const STATUSES = ['status', 'state', 'powerstate', 'vmstatus', 'gueststatus', 'power'];
const CLUSTERS = ['cluster', 'pvecluster', 'proxmoxcluster', 'clustername'];

/** The columns of a header row; undefined where it has no VMID column, so that the table is not ours. */
export function vmidColumns(cells: readonly string[]): VmidColumns | undefined {
  const words = cells.map(columnWord);
  const vmid = words.findIndex((word) => VMID.test(word));
  if (vmid < 0) return undefined;
  const find = (known: readonly string[]): number | undefined =>
    known.map((word) => words.indexOf(word)).find((at) => at >= 0 && at !== vmid);
  const host = find(['host']);
  const name = find(NAMES);
  const node = find(NODES);
  return {
    vmid,
    name: name ?? (node === undefined ? undefined : host),
    node: node ?? host,
    status: find(STATUSES),
    cluster: find(CLUSTERS),
    addresses: words.flatMap((word, at) => (at !== vmid && ADDRESS.test(word) ? [at] : [])),
  };
}

/** `**IP Address** (LAN)` and `ip_address` are one word to us. */
function columnWord(cell: string): string {
  const text = plainText(cell).toLowerCase();
  const bare = text.replace(/\([^)]*\)/g, '').replace(/[^a-z0-9]/g, '');
  return bare === '' ? text.replace(/[^a-z0-9]/g, '') : bare;
}
