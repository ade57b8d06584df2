// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text is what is tested
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddressFile } from '../../src/declared/address-file.js';

const rowsOf = (text: string) =>
  parseAddressFile(text).rows.map(
    ({ key, address, prefixLength, location }) =>
      `${key}=${address}${prefixLength === null ? '' : `/${prefixLength}`} @${location.split(':')[1]}`,
  );
const problemsOf = (text: string) =>
  parseAddressFile(text).problems.map(({ location, message }) => `${location.split(':')[1]}: ${message}`);

describe('ip-addresses.conf declares every literal address', () => {
  it.each([
    ['WEB=10.0.0.5', ['WEB=10.0.0.5 @1']],
    ['  export WEB="10.0.0.5/24"   # the web', ['WEB=10.0.0.5/24 @1']],
    ["WEB='10.0.0.5';", ['WEB=10.0.0.5 @1']],
    ['WEB=2001:DB8::0:5/64', ['WEB=2001:db8::5/64 @1']],
    ['WEB=::ffff:10.0.0.5', ['WEB=10.0.0.5 @1']],
    ['WEB=${WEB_OVERRIDE:-10.0.0.5}', ['WEB=10.0.0.5 @1']],
    ['WEB="${WEB:-"10.0.0.5"}"', ['WEB=10.0.0.5 @1']],
    ['WEB=${A:-${B:-10.0.0.5}}', ['WEB=10.0.0.5 @1']],
    ['A=10.0.0.1 B=10.0.0.2', ['A=10.0.0.1 @1', 'B=10.0.0.2 @1']],
    ['DNS="10.0.0.1 10.0.0.2"', ['DNS=10.0.0.1 @1', 'DNS#2=10.0.0.2 @1']],
    ['DNS=10.0.0.1,10.0.0.2/24', ['DNS=10.0.0.1 @1', 'DNS#2=10.0.0.2/24 @1']],
    ['\uFEFFWEB=10.0.0.5\r\n\r\n# comment\r\nDB=10.0.0.6\r\n', ['WEB=10.0.0.5 @1', 'DB=10.0.0.6 @4']],
  ])('%s', (text, rows) => {
    expect(rowsOf(text)).toEqual(rows);
    expect(problemsOf(text)).toEqual([]);
  });

  it.each(['ALIAS=$WEB', 'ALIAS="${WEB}"', 'ALIAS=${X:-$WEB}'])(
    '%s is another name, not a second declaration',
    (line) => {
      expect(rowsOf(`WEB=10.0.0.5\n${line}`)).toEqual(['WEB=10.0.0.5 @1']);
      expect(problemsOf(line)).toEqual([]);
    },
  );
});

describe('a line that declares nothing is skipped and listed with its number', () => {
  it.each([
    ['WEB=10.0.0.999', '2: WEB: the value is not an IPv4 or IPv6 address: it was skipped'],
    ['WEB=10.0.0.5/33', '2: WEB: the value is not an IPv4 or IPv6 address: it was skipped'],
    ['WEB=010.0.0.5', '2: WEB: the value is not an IPv4 or IPv6 address: it was skipped'],
    ['WEB=', '2: WEB: the value is not an IPv4 or IPv6 address: it was skipped'],
    ['WEB="10.0.0.5 web.example.org"', '2: WEB: the value is not an IPv4 or IPv6 address: it was skipped'],
    ["WEB='$NET.5'", '2: WEB: the value is not an IPv4 or IPv6 address: it was skipped'],
    ['WEB=$NET.5', '2: WEB: only a shell could tell this value: it was skipped'],
    ['WEB=${X:=10.0.0.5}', '2: WEB: only a shell could tell this value: it was skipped'],
    ['WEB=$(hostname -I)', '2: this is not a line of the form KEY=VALUE: it was skipped'],
    ['WEB=10.0.0.1 10.0.0.2', '2: this is not a line of the form KEY=VALUE: it was skipped'],
    ['WEB = 10.0.0.5', '2: this is not a line of the form KEY=VALUE: it was skipped'],
    ['my-web=10.0.0.5', '2: this is not a line of the form KEY=VALUE: it was skipped'],
    ['10.0.0.5', '2: this is not a line of the form KEY=VALUE: it was skipped'],
    ['export', '2: this exports nothing: it was skipped'],
    ['WEB="10.0.0.5', '2: a quote is not closed on its line: it was skipped'],
    ['WEB=${X:-10.0.0.5', '2: a ${ is not closed on its line: it was skipped'],
    ['WEB=10.0.0.5\0\0', '2: this line holds bytes that are not text: it was skipped'],
  ])('%j', (line, problem) => {
    expect(rowsOf(`A=10.0.0.1\n${line}\nZ=10.0.0.2`)).toEqual(['A=10.0.0.1 @1', 'Z=10.0.0.2 @3']);
    expect(problemsOf(`A=10.0.0.1\n${line}\nZ=10.0.0.2`)).toEqual([problem]);
  });

  it('never repeats a value, which may be a password', () => {
    expect(JSON.stringify(parseAddressFile('DB_PASSWORD=hunter2\nhunter2\nA="hunter2'))).not.toContain('hunter2');
  });
});

describe('one key written twice', () => {
  it('with two values: the last one wins, and both are told', () => {
    const read = parseAddressFile('WEB=10.0.0.5\nDB=10.0.0.7\nWEB=10.0.0.6');
    expect(read.rows.map(({ key, address, location }) => [key, address, location])).toEqual([
      ['WEB', '10.0.0.6', 'ip-addresses.conf:3'],
      ['DB', '10.0.0.7', 'ip-addresses.conf:2'],
    ]);
    expect(read.keyConflicts).toEqual([
      {
        label: 'WEB',
        facts: [
          { address: '10.0.0.5', location: 'ip-addresses.conf:1' },
          { address: '10.0.0.6', location: 'ip-addresses.conf:3' },
        ],
      },
    ]);
  });

  it('with the same value, however written, contradicts nothing', () => {
    expect(parseAddressFile('WEB=10.0.0.5\nexport WEB="10.0.0.5/24"').keyConflicts).toEqual([]);
  });

  it('with an alias keeps the literal, and says so', () => {
    expect(rowsOf('WEB=10.0.0.5\nWEB=$OTHER')).toEqual(['WEB=10.0.0.5 @1']);
    expect(problemsOf('WEB=10.0.0.5\nWEB=$OTHER')).toEqual([
      '2: WEB is set again to something that is no literal address: what ip-addresses.conf:1 says still counts',
    ]);
  });
});

it('reads any text without failing, and every line it names exists', () => {
  const piece = fc.constantFrom(
    'A=',
    'export ',
    '"',
    "'",
    '${',
    '}',
    ':-',
    '10.0.0.1',
    '\n',
    '\r\n',
    '#',
    ' ',
    '\\',
    '\0',
    ';',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (any) => {
      const read = parseAddressFile(any);
      const lines = any.split(/\r\n|\n|\r/).length;
      for (const { location } of [...read.rows, ...read.problems]) {
        const line = Number(location.replace('ip-addresses.conf:', ''));
        expect(line >= 1 && line <= lines).toBe(true);
      }
      const keys = read.rows.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});
