import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CloseCode } from 'graphql-ws';
import { utils } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { type Environment, readConfig } from '../src/config.js';
import { API_KEYS, SSH_KEYS } from '../src/declared/instead.js';
import { secretKeys } from '../src/declared/named-secret.js';
import { parsePolicy } from '../src/declared/policy-file.js';
import { parseSources } from '../src/declared/sources-file.js';
import { BUILT_IN_ROLES } from '../src/domain/access.js';
import type { ErrorCode } from '../src/domain/errors.js';
import { DRIFT_KINDS } from '../src/domain/finding.js';
import { Secret } from '../src/domain/settings.js';
import { categoryOf, severityOf } from '../src/domain/severity.js';
import { ROUTES } from '../src/rest/table.js';
import { httpError } from '../src/server/http-answer.js';
import { sudoersCommands } from '../src/sources/hosts/commands.js';
import { METRICS } from '../src/telemetry.js';
import { fenced, listedWords, manualPages, projectText, section, tableRows, wordsOf } from './testkit/manual.js';

// The manual names what the code has, all of it and nothing else. What is not exported is read from the source text.
const sorted = (words: Iterable<string>) => [...new Set(words)].sort();
const column = (text: string, at = 0) => tableRows(text).map((row) => row[at] ?? '');
const SETTINGS = 'docs/settings.md';

describe('settings', () => {
  const asked = new Set<string>();
  readConfig(
    new Proxy<Environment>({}, { get: (_, name) => (typeof name === 'string' ? void asked.add(name) : undefined) }),
  );

  it('every environment variable that is read has its row, and no other', () => {
    const names = [...asked].filter((name) => !name.endsWith('_FILE'));
    expect(sorted(column(section(SETTINGS, 'Environment')))).toEqual(sorted(names));
  });

  it('`_FILE` stands where the variable may be given as a file', () => {
    const used = tableRows(section(SETTINGS, 'Environment')).filter((row) => row.length === 4);
    const byFile = used.filter((row) => row[3] === '_FILE').map((row) => row[0] ?? '');
    expect(sorted(byFile)).toEqual(sorted(used.map((row) => row[0] ?? '').filter((name) => asked.has(`${name}_FILE`))));
  });

  /** `clusters[].api.urls` → `urls`: the keys themselves, wherever they stand. */
  const keysIn = (heading: string) =>
    sorted(column(section(SETTINGS, heading)).map((path) => path.replaceAll('[]', '').split('.').at(-1) ?? ''));

  const SERVICE_LISTS = { hosts: 'hostEntry', npm: 'npmEntry', unifi: 'unifiEntry', netbox: 'netboxEntry' };
  const SERVICES = 'src/declared/service-entries.ts';
  /** What an entry may hold: the list that its reader hands to `allowOnly`. */
  const serviceKeys = (reader: string) => {
    const [, list] =
      new RegExp(
        `function ${reader}\\((?:(?!\\nfunction|\\nexport)[\\s\\S])*?allowOnly\\(fields, \\[([^;]*?)\\], doubts[,)]`,
      ).exec(projectText(SERVICES)) ?? [];
    if (list === undefined) throw new Error(`${SERVICES}: ${reader} allows no keys`);
    return listedWords(SERVICES, list, secretKeys, { SSH_KEYS });
  };

  it('every key of a host or a service has its row in its own list, and no other', () => {
    const told = column(section(SETTINGS, 'sources.yaml'));
    for (const [list, reader] of Object.entries(SERVICE_LISTS)) {
      const own = told.flatMap((path) => (path.startsWith(`${list}[].`) ? [path.slice(list.length + 3)] : []));
      expect([...own].sort(), list).toEqual(sorted(serviceKeys(reader)));
    }
  });

  it('every key of sources.yaml has its row, and no other', () => {
    expect(keysIn('sources.yaml')).toEqual(
      sorted([
        ...wordsOf('src/declared/sources-file.ts', 'KEYS'),
        ...wordsOf('src/declared/sources-file.ts', 'NOT_COLLECTED_YET'),
        ...wordsOf('src/declared/cluster-entry.ts', 'KEYS'),
        ...wordsOf('src/declared/cluster-entry.ts', 'SCOPE_KEYS'),
        ...API_KEYS,
        ...SSH_KEYS,
        ...Object.values(SERVICE_LISTS).flatMap(serviceKeys),
        ...['insecure', 'tokenSecret', 'password', 'key', 'keyPassphrase'],
      ]),
    );
    for (const name of wordsOf('src/declared/sources-file.ts', 'DECLARED_NAMES'))
      expect(section(SETTINGS, 'sources.yaml')).toContain(`\`${name}\``);
  });

  it('every key of policy.yaml has its row, and no other', () => {
    const file = 'src/declared/policy-file.ts';
    const inner = [...projectText(file).matchAll(/\.allow\(\[('[^\]]*)\]\)/g)].flatMap((found) =>
      [...(found[1] ?? '').matchAll(/'([^']+)'/g)].map((word) => word[1] ?? ''),
    );
    const settling = wordsOf(file, 'SETTLING');
    expect(keysIn('policy.yaml')).toEqual(
      sorted([
        ...wordsOf(file, 'KEYS'),
        ...wordsOf(file, 'NOT_SUPPORTED_YET'),
        ...wordsOf('src/declared/ignore-entries.ts', 'MATCHING_KEYS'),
        ...wordsOf('src/declared/ignore-entries.ts', 'OTHER_KEYS'),
        ...['COMMON_KEYS', 'WEBHOOK_KEYS', 'MAIL_KEYS', 'DIGEST_KEYS', 'QUIET_KEYS', 'REFUSED_KEYS'].flatMap((name) =>
          wordsOf('src/declared/notify-entries.ts', name),
        ),
        ...settling,
        ...inner,
      ]),
    );
    for (const word of wordsOf(file, 'CLASSES')) expect(section(SETTINGS, 'policy.yaml')).toContain(`\`${word}\``);
    for (const kind of wordsOf(file, 'LATER_KINDS'))
      expect(section(SETTINGS, 'Kinds of finding')).toContain(`\`${kind}\``);
  });

  it('says which keys of a later policy may stand there empty', () => {
    const rows = tableRows(section(SETTINGS, 'policy.yaml')).filter((row) => row.length === 2);
    const empty = wordsOf('src/declared/policy-file.ts', 'EMPTY_BY_DEFAULT');
    expect(rows).toEqual(rows.map(([key = '']) => [key, empty.includes(key) ? 'accepted' : 'refused']));
  });

  it('gives each kind of finding its default severity and category', () => {
    expect(tableRows(section(SETTINGS, 'Kinds of finding'))).toEqual(
      DRIFT_KINDS.map((kind) => [kind, severityOf(kind, { severities: {} }), categoryOf(kind, { categories: {} })]),
    );
  });

  it("every key of the collectors' contract has its row, and no other", () => {
    expect(keysIn('live-collectors-contract.json')).toEqual(
      sorted(['version', 'collectors', ...wordsOf('src/declared/contract-file.ts', 'KEYS')]),
    );
  });

  it('the settings files that the manual shows can be used as they are', () => {
    const yaml = manualPages().flatMap((page) => fenced(page, 'yaml'));
    const authority = projectText('test/fixtures/tls/ca.crt');
    const key = utils.generateKeyPairSync('ed25519').private;
    const file = (path: string) => (path.endsWith('.pem') ? authority : key);
    const sources = yaml.filter((text) => /^clusters:/m.test(text));
    const entries = yaml.filter((text) => /^(hosts|npm|unifi|netbox):/.test(text));
    expect(sources).not.toEqual([]);
    expect(sorted(entries.map((text) => text.split(':')[0] ?? ''))).toEqual(sorted(Object.keys(SERVICE_LISTS)));
    const wholes = entries.map((text) => `${sources[0]}\n${text}`);
    for (const text of [...sources, ...wholes, projectText('config/sources.example.yaml')]) {
      const read = parseSources(text, { secret: () => new Secret('shown-nowhere'), file });
      expect(read).toMatchObject({ kind: 'read', problems: [], whole: true });
    }
    const policies = yaml.filter((text) => /^(precedence|severities|addresses|settle|notify):/m.test(text));
    for (const text of [...policies, projectText('config/policy.example.yaml')])
      expect(parsePolicy(text)).toMatchObject({ kind: 'read' });
  });
});

it('the manual has the lines for sudoers of a host word by word, and no other', () => {
  const told = fenced('docs/connect-services.md', 'sudoers').flatMap((text) =>
    text.split('\n').flatMap((line) => /^ {2}(\/.*?)(?:, \\)?$/.exec(line)?.[1] ?? []),
  );
  expect(told).toEqual(sudoersCommands());
});

describe('errors', () => {
  const tables = section('docs/errors.md', 'Codes').split('Apollo');
  const domain = [...projectText('src/domain/errors.ts').matchAll(/\| '([A-Z_]+)'/g)].map(
    (found) => (found[1] ?? '') as ErrorCode,
  );

  it('every code has its row with its status, and no other', () => {
    const rows = tableRows(tables[0] ?? '').map(([code, status]) => `${code} ${status}`);
    expect(rows.sort()).toEqual(
      [...domain, 'TOO_LARGE' as const].map((code) => `${code} ${httpError(code, '').status}`).sort(),
    );
  });

  it("Apollo's codes that reach callers have theirs", () => {
    const passed = /const OF_THE_REQUEST[^[]*\[([^\]]*)\]/.exec(projectText('src/graphql/errors.ts'))?.[1] ?? '';
    const codes = [...passed.matchAll(/'([A-Z_]+)'/g)].map((found) => found[1] ?? '');
    expect(sorted(column(tables[1] ?? ''))).toEqual(sorted(codes.filter((code) => code !== 'QUERY_TOO_COMPLEX')));
  });

  it('every close code of ours has its row, and no other', () => {
    const text = ['src/graphql/socket.ts', 'src/graphql/streams.ts', 'src/server/sockets.ts']
      .map(projectText)
      .join('\n');
    const ours = [...text.matchAll(/^(?:export )?const [A-Z_]+ = (1\d{3}|4\d{3});$/gm)].map((found) => found[1] ?? '');
    expect(sorted(column(section('docs/errors.md', 'WebSocket close codes')))).toEqual(sorted(ours));
    expect(Object.values(CloseCode)).toContain(4429);
  });
});

it('every metric has its row with its type and labels, and no other', () => {
  const told = tableRows(projectText('docs/metrics.md')).map(([name, kind, labels = '']) => [
    name,
    kind,
    labels.split(' ').filter((label) => label !== ''),
  ]);
  expect(told).toEqual(METRICS.map(({ name, kind, labels }) => [name, kind, [...labels]]));
});

describe('README', () => {
  it('has a row for every verb of the command line, and no other', () => {
    const text = projectText('src/main.ts');
    const groups = new Map([...text.matchAll(/const (\w+) = root\s*\.command\('([^']+)'\)/g)].map((m) => [m[1], m[2]]));
    const verbs = [...text.matchAll(/^ {2}(\w+)\s*\.command\('([^']+)'\)/gm)].map(([, parent, verb]) =>
      parent === 'root' ? (verb ?? '') : `${groups.get(parent)} ${verb}`,
    );
    const told = column(section('README.md', 'Command line')).map((cell) =>
      cell
        .split(' ')
        .filter((word) => /^[a-z-]+$/.test(word))
        .join(' '),
    );
    expect(sorted(told)).toEqual(sorted(verbs));
  });

  it('has a row for every route under /v1, and no other', () => {
    expect(sorted(column(section('README.md', 'REST')))).toEqual(sorted(Object.values(ROUTES).map(({ path }) => path)));
  });

  it('names every role', () => {
    expect(sorted(column(section('README.md', 'Keys and roles')))).toEqual(sorted(Object.keys(BUILT_IN_ROLES)));
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(projectText('package.json')) as { scripts: Record<string, string> };
    const named = [...projectText('README.md').matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map((m) => m[1] ?? '');
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});

it('every link from page to page leads to a file, and every heading that is meant is there', () => {
  const root = join(import.meta.dirname, '..');
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
  const headings = (page: string) => [...projectText(page).matchAll(/^#+ (.+)$/gm)].map((m) => slug(m[1] ?? ''));
  const broken = manualPages().flatMap((page) =>
    [...projectText(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, file = '', anchor]) => {
        const target = file === '' ? page : join(dirname(page), file);
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !headings(target).includes(anchor);
      })
      .map(([link]) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});
