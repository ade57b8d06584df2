import type { DeclaredEstate, DeclaredKey, DeclaredRow, DeclaredWord } from './declared-rows.js';
import { GROUPS } from './services.js';

/** How people write a status; the same word comes in several spellings, as it does in such files. */
const WORDS: Readonly<Record<DeclaredWord, readonly string[]>> = {
  running: ['✅ Running', '✅ Running', 'running', '🟢 Active'],
  stopped: ['❌ Stopped', 'stopped', '⏹ Stopped'],
  paused: ['⏸ Paused'],
  planned: ['📝 Planned'],
  retired: ['Retired'],
  none: [''],
};

interface Layout {
  readonly header: readonly string[];
  cells(row: DeclaredRow): readonly string[];
}

const LAYOUTS: readonly Layout[] = [
  {
    header: ['VMID', 'Hostname', 'IP Address', 'Node', 'Status'],
    cells: (row) => [
      row.word === 'retired' ? vmidText(row) : `\`${vmidText(row)}\``,
      bold(row.name),
      addressText(row),
      row.node ?? '-',
      wordOf(row),
    ],
  },
  {
    header: ['Status', 'Name', 'VMID', 'Host', 'IPv4 / IPv6', 'Notes'],
    cells: (row) => [wordOf(row), row.name ?? '-', vmidText(row), row.node ?? '-', addressText(row), noteOf(row)],
  },
];

/** `ALL_VMIDS_ENDPOINTS.md`: tables by cluster and purpose, in two layouts, as several hands would have left them. */
export function tableText(told: DeclaredEstate, marker: string): string {
  const lines = [`<!-- ${marker} -->`, '# All VMIDs and endpoints', '', INTRODUCTION, ''];
  for (const cluster of new Set(told.rows.map((row) => row.cluster))) {
    const own = told.rows.filter((row) => row.cluster === cluster);
    lines.push(`## Cluster ${cluster}`, '');
    for (const [at, group] of [...new Set(own.map((row) => row.group))].entries()) {
      const layout = LAYOUTS[at % LAYOUTS.length];
      const rows = own.filter((row) => row.group === group);
      if (layout === undefined) continue;
      lines.push(`### ${group}`, '', ...table(group === GROUPS.templates ? TEMPLATE_LAYOUT : layout, rows), '');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const INTRODUCTION =
  'What should run where. This file belongs to a simulated estate: edit it, and see what the gateway makes of it.';

const TEMPLATE_LAYOUT: Layout = {
  header: ['VMID', 'Template', 'Node'],
  cells: (row) => [vmidText(row), `\`${row.name ?? ''}\``, row.node ?? '-'],
};

function table({ header, cells }: Layout, rows: readonly DeclaredRow[]): string[] {
  const line = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map((row) => line(cells(row)))];
}

function vmidText({ from, to, word }: DeclaredRow): string {
  const text = from === to ? String(from) : `${from}-${to}`;
  return word === 'retired' ? `~~${text}~~` : text;
}

function bold(name: string | null): string {
  return name === null ? '-' : `**${name}**`;
}

function addressText({ addresses, leased, word }: DeclaredRow): string {
  if (addresses.length > 0) return addresses.map((address) => `\`${address}\``).join(', ');
  if (word === 'planned') return 'TBD';
  return leased ? 'DHCP' : '-';
}

function noteOf({ from, to, leased }: DeclaredRow): string {
  if (from !== to) return 'named by number';
  return leased ? 'lease by the router' : '';
}

function wordOf({ word, from }: DeclaredRow): string {
  const spellings = WORDS[word];
  return spellings[from % spellings.length] ?? '';
}

/** `ip-addresses.conf`: shell lines by cluster, with the other names by which some addresses go. */
export function keysText(told: DeclaredEstate, marker: string): string {
  const lines = [`# ${marker}`, '# Addresses of nodes and services, sourced by the scripts that deploy them.'];
  for (const cluster of new Set(told.keys.map((one) => one.cluster))) {
    lines.push('', `# ${cluster}`);
    const own = told.keys.filter((one) => one.cluster === cluster);
    lines.push(...own.map(keyLine));
    const [first] = own;
    if (first !== undefined)
      lines.push(`export ${told.prefixOf(cluster)}SEED_NODE="\${${first.key}}"  # where scripts begin`);
  }
  return `${lines.join('\n')}\n`;
}

function keyLine({ key, value }: DeclaredKey, at: number): string {
  if (at % 7 === 3) return `export ${key}=${value}`;
  if (at % 7 === 5) return `${key}="${value}"`;
  return at % 11 === 8 ? `${key}=\${${key}:-${value}}` : `${key}=${value}`;
}
