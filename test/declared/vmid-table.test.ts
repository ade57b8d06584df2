import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVmidTable } from '../../src/declared/vmid-table.js';
import type { GuestDeclaration } from '../../src/domain/declaration.js';

const HEADER = '| VMID | Hostname | IP Address | Node | Status | Cluster |\n|---|---|---|---|---|---|\n';
const guests = (text: string): GuestDeclaration[] =>
  parseVmidTable(text).rows.filter((row): row is GuestDeclaration => row.kind === 'guest');
const row = (cells: string) => parseVmidTable(`${HEADER}${cells}`);
const guest = (cells: string): GuestDeclaration => {
  const [first] = guests(`${HEADER}${cells}`);
  if (first === undefined) throw new Error(`no guest in ${cells}`);
  return first;
};

it('reads a row with its provenance', () => {
  expect(
    parseVmidTable(
      `# Estate\n\n## Cluster main\n\n${HEADER}| 5000 | blockscout-1 | 10.0.0.5/24 | r630-01 | ✅ Running | main |\n`,
    ),
  ).toEqual({
    tables: 1,
    lostHeaders: [],
    problems: [],
    rows: [
      {
        kind: 'guest',
        key: '5000#1',
        location: 'ALL_VMIDS_ENDPOINTS.md:7',
        from: 5000,
        to: 5000,
        text: '5000',
        cluster: 'main',
        headings: ['Cluster main', 'Estate'],
        name: 'blockscout-1',
        node: 'r630-01',
        status: { word: 'Running', means: 'running' },
        addresses: ['10.0.0.5'],
        unreadable: [],
      },
    ],
  });
});

describe('tables are found wherever they stand', () => {
  const NAMES = (text: string) => guests(text).map(({ from, name }) => `${from} ${name}`);
  it.each([
    ['in any column order', 'Name | VMID\n--- | ---\nweb | 100', ['100 web']],
    ['without the row of dashes', '| VMID | Name |\n| 100 | web |', ['100 web']],
    ['with CRLF and a byte order mark', '\uFEFF| VMID | Name |\r\n|---|---|\r\n| 100 | web |\r\n', ['100 web']],
    ['indented and quoted', '> | VMID | Name |\n> |---|---|\n> | 100 | web |', ['100 web']],
    ['directly below a sentence', 'These:\n| VMID | Name |\n|---|---|\n| 100 | web |', ['100 web']],
    [
      'one right below another',
      '| A | B |\n|---|---|\n| 1 | 2 |\n| VMID | Name |\n|---|---|\n| 100 | web |',
      ['100 web'],
    ],
    [
      'going on after a line without pipes',
      '| VMID | Name |\n|---|---|\n| 100 | web |\nnote\n| 101 | db |',
      ['100 web', '101 db'],
    ],
    [
      'several in one file',
      '| CTID | Name |\n|-|-|\n| 100 | a |\n\n## B\n\n| Name | VM ID |\n|-|-|\n| b | 101 |',
      ['100 a', '101 b'],
    ],
    ['with an escaped pipe in a cell', '| VMID | Notes | Name |\n|-|-|-|\n| 100 | a \\| b | web |', ['100 web']],
    ['with cells missing at the end', '| VMID | Name | IP |\n|-|-|-|\n| 100 | web |', ['100 web']],
    [
      'with a row taken out by a comment',
      '| VMID | Name |\n|-|-|\n| 100 | web |\n<!-- | 101 | db | -->\n| 102 | ns |',
      ['100 web', '102 ns'],
    ],
    ['but not in a code fence', '```\n| VMID | Name |\n|-|-|\n| 100 | web |\n```', []],
    ['nor in a longer fence', '````md\n```\n| VMID | Name |\n|-|-|\n| 100 | web |\n```\n````', []],
    ['nor in a comment', '<!--\n| VMID | Name |\n|-|-|\n| 100 | web |\n-->', []],
    ['nor without a VMID column', '| ID | Name |\n|-|-|\n| 100 | web |', []],
  ])('%s', (_, text, names) => {
    expect(NAMES(text)).toEqual(names);
  });

  it.each([
    ['VMID', true],
    ['VM ID', true],
    ['`vm_id`', true],
    ['**CTID**', true],
    ['VM/CT ID', true],
    ['VMID(s)', true],
    ['ID', false],
    ['VLAN ID', false],
    ['Old VMID', false],
  ])('a header %s is a VMID column: %s', (header, is) => {
    expect(guests(`| ${header} | Name |\n|-|-|\n| 100 | web |`).length === 1).toBe(is);
  });

  it.each([
    ['| VMID | Host | Node |', { name: 'x', node: 'y' }],
    ['| VMID | Hostname | Host |', { name: 'x', node: 'y' }],
    ['| VMID | Name | Proxmox host |', { name: 'x', node: 'y' }],
    ['| VMID | Host | Owner |', { name: null, node: 'x' }],
  ])('%s', (header, expected) => {
    expect(guests(`${header}\n|-|-|-|\n| 100 | x | y |`)[0]).toMatchObject(expected);
  });

  it('names a fence that is never closed', () => {
    expect(parseVmidTable('text\n```\n| VMID |\n|-|\n| 100 |').problems).toEqual([
      {
        location: 'ALL_VMIDS_ENDPOINTS.md:2',
        message: 'the code fence that opens here is never closed: no table below it was read',
      },
    ]);
  });

  it('skips a line of absurd length, and says so', () => {
    expect(parseVmidTable(`${HEADER}| 100 | ${'*'.repeat(9000)} |\n| 101 | db |`)).toMatchObject({
      problems: [
        {
          location: 'ALL_VMIDS_ENDPOINTS.md:3',
          message: 'this line is longer than 8000 characters: it was skipped',
        },
      ],
    });
  });

  it('gives a row the headings it stands under, nearest first, and no others', () => {
    const text = '# Estate\n## `r630-01`\n### VMs\n| VMID |\n|-|\n| 100 |\n\nEdge 🚀\n---\n| VMID |\n|-|\n| 101 |';
    expect(guests(text).map(({ headings }) => headings)).toEqual([
      ['VMs', 'r630-01', 'Estate'],
      ['Edge', 'Estate'],
    ]);
  });

  it('keeps keys when lines shift, and tells rows with one VMID apart', () => {
    const keys = (text: string) => guests(text).map(({ key }) => key);
    expect(keys(`${HEADER}| 100 | a |\n| 101 | b |\n| 100 | c |`)).toEqual(['100#1', '101#1', '100#2']);
    expect(keys(`more\n\n${HEADER}| 101 | b |\n| 100 | a |\n| 100 | c |`)).toEqual(['101#1', '100#1', '100#2']);
  });
});

describe('cells say what they say in spite of their dress', () => {
  it.each([
    [
      '| `5000` | **web** | `10.0.0.5` | [r630-01](https://pve/) | 🟢 Running |',
      { from: 5000, name: 'web', node: 'r630-01', addresses: ['10.0.0.5'] },
    ],
    [
      '| 5000 (blockscout-1) | - | TBD | — | N/A |',
      { from: 5000, to: 5000, name: 'blockscout-1', node: null, addresses: [], status: null },
    ],
    ['| 5000 (blockscout-1) | web | ? |', { name: 'web', addresses: [] }],
    ['| 5000 (stopped) | |', { name: null }],
    ['| CT 5000 | my_web_1 |', { from: 5000, name: 'my_web_1' }],
    ['| 1000-1004 | pool |', { from: 1000, to: 1004, name: 'pool', key: '1000-1004#1' }],
    ['| 1000 – 1004 (validators) | |', { from: 1000, to: 1004, name: 'validators' }],
    ['| 100 | web | 10.0.0.5, fd00::5/64 |', { addresses: ['10.0.0.5', 'fd00::5'] }],
    ['| 100 | web | 10.0.0.5<br>10.0.0.6 |', { addresses: ['10.0.0.5', '10.0.0.6'] }],
    ['| 100 | web | 10.0.0.5 / 10.0.0.6 (eth1) |', { addresses: ['10.0.0.5', '10.0.0.6'] }],
    ['| 100 | web | eth0: 10.0.0.5:8080 |', { addresses: ['10.0.0.5'] }],
    ['| 100 | web | DHCP |', { addresses: [], unreadable: [] }],
    ['| 100 | web | 10.0.0.5 (DHCP) |', { addresses: ['10.0.0.5'] }],
    ['| 100 | web | ~~10.0.0.4~~ 10.0.0.5 |', { addresses: ['10.0.0.5'] }],
    ['| 100 | web.example.org. | | 192.168.11.10 |', { name: 'web.example.org.', node: '192.168.11.10' }],
    ['| 100 | web (primary) | | r630-01 (rack 2) |', { name: 'web', node: 'r630-01' }],
    [
      '| ~~100~~ | ~~web~~ | ~~10.0.0.5~~ | | Running |',
      { name: 'web', addresses: ['10.0.0.5'], status: { word: 'struck through', means: 'retired' } },
    ],
    ['| 100 | | | | | **main** |', { cluster: 'main', name: null }],
  ])('%s', (cells, expected) => {
    expect(guest(cells)).toMatchObject(expected);
    expect(row(cells).problems).toEqual([]);
  });

  it.each([
    ['running', 'running'],
    ['Active', 'running'],
    ['🟢 ONLINE', 'running'],
    ['✅', 'running'],
    [':white_check_mark:', 'running'],
    ['up', 'running'],
    ['Running (prod)', 'running'],
    ['Running since 2024', 'running'],
    ['Stopped', 'stopped'],
    ['powered off', 'stopped'],
    ['❌', 'stopped'],
    ['🔴 Down', 'stopped'],
    ['not running', 'stopped'],
    ['Planned', 'planned'],
    ['reserved', 'planned'],
    ['TBD', 'planned'],
    ['staged', 'planned'],
    ['Retired 2023', 'retired'],
    ['decommissioned', 'retired'],
    ['~~x~~ removed', 'retired'],
    ['unknown', 'unclear'],
    ['paused', 'unclear'],
    ['on hold', 'unclear'],
    ['up for removal', 'unclear'],
    ['staging', 'unclear'],
    ['running, planned for removal', 'unclear'],
    ['❌ Running', 'unclear'],
    ['🟡', 'unclear'],
    ['stopped until March', 'unclear'],
  ])('status %s means %s', (word, means) => {
    expect(guest(`| 100 | web | | | ${word} |`).status?.means).toBe(means);
  });
});

describe('what cannot be read covers nothing, and is listed with its line', () => {
  it.each([
    ['| 100 | web | 10.0.0.999 |', ['addresses'], '"10.0.0.999" in its address cell: its addresses are not compared'],
    [
      '| 100 | web | 10.0.0.5 10.0.0.x |',
      ['addresses'],
      '"10.0.0.x" in its address cell: its addresses are not compared',
    ],
    ['| 100 | web | see wiki |', ['addresses'], '"see", "wiki" in its address cell: its addresses are not compared'],
    [
      '| 100 | web server one |',
      ['name'],
      '"web server one" is no name that a guest can have: its name is not compared',
    ],
    [
      '| 100 | web | | r630-01 or r630-02 |',
      ['node'],
      '"r630-01 or r630-02" is not the name of one node: its node is not compared',
    ],
    ['| 100 | web | | | %% |', ['status'], '"%%" is no status: its status is not compared'],
    ['| 100 | w\uFFFDb |', ['name'], '"w\uFFFDb" is no name that a guest can have: its name is not compared'],
    [
      '| 100 | a | b | 10.0.0.5 | r630-01 | running | main |',
      ['name', 'node', 'status', 'addresses'],
      'the row has 7 cells under 6 headers (is a | not written as \\| ?): nothing but its VMID is compared',
    ],
  ])('%s', (cells, unreadable, message) => {
    const read = row(cells);
    expect([...guest(cells).unreadable].sort()).toEqual([...unreadable].sort());
    expect(read.problems.at(-1)).toEqual({ location: 'ALL_VMIDS_ENDPOINTS.md:3', message: `VMID 100: ${message}` });
  });

  it.each([
    ['| abc | web | 10.0.0.5 |', '"abc" is neither a VMID nor a range such as 1000-1004'],
    ['| TBD | web | 10.0.0.5 |', 'the VMID cell is empty'],
    ['| 100, 101 | web | 10.0.0.5 |', '"100, 101" is neither a VMID nor a range such as 1000-1004'],
    ['| 99 | web | 10.0.0.5 |', '"99" is outside of 100 to 999999999, where VMIDs live'],
    ['| 1004-1000 | web | 10.0.0.5 |', 'the range "1004-1000" ends before it begins'],
    ['| 1000-2000 | web | 10.0.0.5 |', 'the range "1000-2000" is wider than 1000 VMIDs'],
    ['| 1\x000 | web | 10.0.0.5 |', 'the VMID cell holds bytes that are not text'],
  ])('%j', (cells, reason) => {
    expect(row(cells).rows).toEqual([
      {
        kind: 'unreadable',
        key: '?web#1',
        location: 'ALL_VMIDS_ENDPOINTS.md:3',
        name: 'web',
        addresses: ['10.0.0.5'],
        reason,
      },
    ]);
    expect(row(cells).problems).toEqual([
      { location: 'ALL_VMIDS_ENDPOINTS.md:3', message: `${reason}: this row declares no guest` },
    ]);
  });

  it('an empty row says nothing at all', () => {
    expect(row('| | | |\n| - | - | - |')).toMatchObject({ rows: [], problems: [] });
  });
});

describe('a table that loses its header', () => {
  const two = (second: string) => `${HEADER}| 100 | a |\n\n## Edge\n\n${second}| 200 | b |\n| 201 | c |\n`;
  const known = parseVmidTable(two(HEADER)).rows;

  it.each([
    ['with its dashes', '|---|---|---|---|---|---|\n', 7],
    ['altogether', '', 7],
    ['to another word', '| Foo | Hostname |\n|---|---|\n', 7],
  ])('%s keeps its last good rows, and says where', (_, header, line) => {
    const read = parseVmidTable(two(header), known);
    expect(read.rows).toEqual(known);
    expect(read.lostHeaders).toEqual([`ALL_VMIDS_ENDPOINTS.md:${header.startsWith('|---') ? line + 1 : line}`]);
    expect(read.problems.map(({ message }) => message)).toEqual([
      'the table here has lost its header with a VMID column: its last 2 good rows stay until it is back',
    ]);
  });

  it('is told also where nothing is known of it', () => {
    expect(parseVmidTable('| 100 | a |\n| 101 | b |').problems).toEqual([
      {
        location: 'ALL_VMIDS_ENDPOINTS.md:1',
        message: 'these rows stand under no header: a table is read where its header has a VMID column',
      },
    ]);
  });

  it('is not mistaken for a table that was taken away on purpose', () => {
    expect(
      parseVmidTable(
        `${HEADER}| 100 | a |\n\n| Port | Service |\n|-|-|\n| 200 | ssh |\n| 443 | web |\n| 80 | web |`,
        known,
      ).rows,
    ).toEqual(known.slice(0, 1));
  });
});

it('reads any text without failing, and every line it names exists', () => {
  const piece = fc.constantFrom(
    '| VMID | Name | IP | Node | Status |',
    '|---|---|',
    '|',
    '100',
    ' 1000-1004 ',
    '10.0.0.1',
    '\n',
    '\r\n',
    '\\',
    '`',
    '```',
    '~~',
    '**',
    '[x](y)',
    '<!--',
    '-->',
    '# h',
    '---',
    '✅',
    '\0',
    ' ',
    'web',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 80 }).map((parts) => parts.join('')),
  );
  const known = parseVmidTable(`${HEADER}| 100 | a |\n| 1000-1004 | b |`).rows;
  fc.assert(
    fc.property(text, (any) => {
      const read = parseVmidTable(any, known);
      const lines = any.split(/\r\n|\n|\r/).length;
      for (const { location } of [
        ...read.problems,
        ...read.rows.filter(({ key }) => !known.some((k) => k.key === key)),
      ]) {
        const line = Number(location.replace('ALL_VMIDS_ENDPOINTS.md:', ''));
        expect(line >= 1 && line <= lines).toBe(true);
      }
      const keys = read.rows.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});
