import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy, readPolicy } from '../../src/declared/policy-file.js';
import { cidr } from '../../src/domain/address.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.js';

describe('policy.yaml', () => {
  it('replaces what it names, and nothing else', () => {
    const text = [
      'precedence: [ip-addresses.conf, netbox]',
      'severities: { NAME_DIFFERS: CRITICAL, DISK_FAILING: WARNING, PORT_DIFFERS: INFO }',
      'addresses: { classes: [{ cidr: 10.0.0.1/32, class: gateway }, { cidr: "fd00::/8", class: external }], unusedDespiteUnread: true }',
      'settle: { STATUS_DIFFERS: 30s, NODE_DIFFERS: 2h, ADDRESS_DIFFERS: 1d, PROXY_TARGET_STOPPED: 10m }',
      'certificates: { warningDays: 21, criticalDays: 3 }',
      'categories: { NAME_DIFFERS: SECURITY, PORT_DIFFERS: NETWORK }',
      'acknowledged: { againWithin: 12h }',
    ].join('\n');
    expect(parsePolicy(text)).toEqual({
      kind: 'read',
      text,
      policy: {
        ...DEFAULT_POLICY,
        precedence: ['ip-addresses.conf', 'netbox'],
        severities: { NAME_DIFFERS: 'CRITICAL', DISK_FAILING: 'WARNING' },
        categories: { NAME_DIFFERS: 'SECURITY' },
        acknowledgedAgainWithin: 12 * HOUR,
        addressClasses: [
          { cidr: cidr('10.0.0.1/32'), class: 'gateway' },
          { cidr: cidr('fd00::/8'), class: 'external' },
        ],
        unusedDespiteUnread: true,
        settle: { status: 30 * SECOND, node: 2 * HOUR, proxyTarget: 10 * MINUTE },
        addressAfterStart: DAY,
        certificates: { warningDays: 21, criticalDays: 3 },
      },
    });
  });

  it.each(['# all defaults\n', '{}', 'ignore: []\nnotify: []\ncategories: {}\nrequireRevision: []'])(
    '%j leaves every default',
    (text) => {
      expect(parsePolicy(text)).toEqual({ kind: 'read', text, policy: DEFAULT_POLICY });
    },
  );

  it.each([
    ['certificates: { warningDays: 3 }', { warningDays: 3, criticalDays: 3 }],
    ['certificates: { criticalDays: 45 }', { warningDays: 45, criticalDays: 45 }],
    ['certificates: { criticalDays: 0 }', { warningDays: 30, criticalDays: 0 }],
  ])('%j lets the other default give way', (text, certificates) => {
    expect(parsePolicy(text)).toEqual({ kind: 'read', text, policy: { ...DEFAULT_POLICY, certificates } });
  });

  it('is shipped as an example that says the defaults', async () => {
    const text = await readFile(join(import.meta.dirname, '../../config/policy.example.yaml'), 'utf8');
    const severities = { DUPLICATE_ADDRESS: 'CRITICAL', DECLARED_ADDRESS_UNUSED: 'INFO' };
    expect(parsePolicy(text)).toEqual({ kind: 'read', text, policy: { ...DEFAULT_POLICY, severities } });
  });
});

describe('policy.yaml is refused as a whole for one bad entry', () => {
  it.each([
    ['', 'policy.yaml:1: is empty: write a comment to say that every default holds'],
    ['- a', 'policy.yaml:1: must be a map of keys and values'],
    ['a: b: c', 'policy.yaml:1: column 4: Nested mappings are not allowed in compact mappings'],
    ['sevrities: {}', 'policy.yaml:1: sevrities is not a setting that exists, did you mean "severities"?'],
    ['tenants: { acme: {} }', 'policy.yaml:1: tenants is not supported by this version: remove it'],
    ['roles: {}', 'policy.yaml:1: roles is not supported by this version: remove it'],
    ['metadata: {}', 'policy.yaml:1: metadata is not supported by this version: remove it'],
    ['approvals: []', 'policy.yaml:1: approvals is not supported by this version: remove it'],
    ['notify: [{ email: [nobody] }]', 'policy.yaml:1: notify[0].email[0] "nobody" is no mail address'],
    [
      'categories: { NAME_DIFFERS: NAMES }',
      'policy.yaml:1: categories.NAME_DIFFERS must be one of CONFIGURATION, PACKAGE, NETWORK, STATE, SECURITY, FIRMWARE',
    ],
    [
      'acknowledged: { againWithin: 24 }',
      'policy.yaml:1: acknowledged.againWithin must be a time with its unit, such as 30s, 5m, 1h or 30d',
    ],
    ['certificates: 30', 'policy.yaml:1: certificates must be a map of keys and values'],
    [
      'certificates: { warningDays: 1.5 }',
      'policy.yaml:1: certificates.warningDays must be a whole number from 0 to 3650',
    ],
    ['certificates: { days: 3 }', 'policy.yaml:1: certificates.days is not a setting that exists'],
    [
      'certificates: { warningDays: 3, criticalDays: 7 }',
      'policy.yaml:1: certificates.criticalDays 7 would be critical before the warning at 3',
    ],
    ['requireRevision: [API]', 'policy.yaml:1: requireRevision is not supported by this version: remove it'],
    ['retention: { events: 23h }', 'policy.yaml:1: retention.events must be a time of 1d or more, such as 90d'],
    ['retention: { versions: 400 }', 'policy.yaml:1: retention.versions must be a time of 1d or more, such as 90d'],
    ['retention: { audit: 9d }', 'policy.yaml:1: retention.audit is not a setting that exists'],
    ['precedence: netbox', 'policy.yaml:1: precedence must be a list'],
    [
      'precedence:\n  - netbox\n  - ip-address.conf',
      'policy.yaml:3: precedence[1] "ip-address.conf" is no declared source, did you mean "ip-addresses.conf"?',
    ],
    ['precedence: [netbox, netbox]', 'policy.yaml:1: precedence[1] "netbox" is named twice'],
    ['severities: []', 'policy.yaml:1: severities must be a map of keys and values'],
    [
      'severities:\n  NAME_DIFFER: INFO',
      'policy.yaml:2: severities.NAME_DIFFER is not a setting that exists, did you mean "NAME_DIFFERS"?',
    ],
    [
      'severities:\n  NAME_DIFFERS: LOW',
      'policy.yaml:2: severities.NAME_DIFFERS must be one of INFO, WARNING, CRITICAL',
    ],
    [
      'severities: { PORT_DIFFERS: 1 }',
      'policy.yaml:1: severities.PORT_DIFFERS must be one of INFO, WARNING, CRITICAL',
    ],
    [
      'addresses: { class: [] }',
      'policy.yaml:1: addresses.class is not a setting that exists, did you mean "classes"?',
    ],
    ['addresses: { unusedDespiteUnread: yes }', 'policy.yaml:1: addresses.unusedDespiteUnread must be true or false'],
    ['addresses: { classes: [10.0.0.1] }', 'policy.yaml:1: addresses.classes[0] must be a map of keys and values'],
    ['addresses: { classes: [{ class: node }] }', 'policy.yaml:1: addresses.classes[0].cidr is missing'],
    [
      'addresses: { classes: [{ cidr: 10.0.0.0/33, class: node }] }',
      'policy.yaml:1: addresses.classes[0].cidr "10.0.0.0/33" is no address or prefix such as 10.0.0.0/24',
    ],
    [
      'addresses: { classes: [{ cidr: 10.0.0.1, class: router }] }',
      'policy.yaml:1: addresses.classes[0].class must be one of node, gateway, virtual, dynamic, external',
    ],
    [
      'settle: { STATUS_DIFFERS: 5 }',
      'policy.yaml:1: settle.STATUS_DIFFERS must be a time with its unit, such as 30s, 5m, 1h or 30d',
    ],
    [
      'settle: { NODE_DIFFERS: -1h }',
      'policy.yaml:1: settle.NODE_DIFFERS must be a time with its unit, such as 30s, 5m, 1h or 30d',
    ],
    [
      'settle: { NAME_DIFFERS: 1h }',
      'policy.yaml:1: settle.NAME_DIFFERS is not a setting that exists, did you mean "NODE_DIFFERS"?',
    ],
  ])('%j', (text, message) => {
    const read = parsePolicy(text);
    expect(
      read.kind === 'refused' && read.problems.map((problem) => `${problem.location}: ${problem.message}`),
    ).toEqual([message]);
  });

  it('names all of them at once', () => {
    const read = parsePolicy('roles: {}\nsettle: 5\nprecedence: 5');
    expect(read.kind === 'refused' && read.problems).toHaveLength(3);
  });

  it('reads any text without failing', () => {
    const piece = fc.constantFrom(
      'precedence:',
      'addresses:',
      'classes:',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      ': ',
      '"',
      'settle: ',
      '5m',
    );
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (parts) => void parsePolicy(parts.join(''))));
  });
});

it('is absent, read, or refused where it cannot be opened', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'policy-'));
  const { signal } = new AbortController();
  expect(await readPolicy(dir, signal)).toEqual({ kind: 'absent' });
  await writeFile(join(dir, 'policy.yaml'), '{}');
  expect(await readPolicy(dir, signal)).toMatchObject({
    ...{ kind: 'read', text: '{}' },
    contentHash: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  });
  await rm(join(dir, 'policy.yaml'));
  await mkdir(join(dir, 'policy.yaml'));
  expect(await readPolicy(dir, signal)).toEqual({
    kind: 'refused',
    problems: [{ location: 'policy.yaml', message: 'it is not a file' }],
  });
  await rm(dir, { recursive: true });
});
