import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/declared/policy-file.js';
import { cidr } from '../../src/domain/address.js';
import { DIGEST, MAIL_DIGEST, type NotifyTarget, TOPICS, topicsLike } from '../../src/domain/notify.js';
import { MINUTE, SECOND } from '../../src/domain/time.js';

function targets(yaml: string): readonly NotifyTarget[] {
  const read = parsePolicy(yaml);
  if (read.kind !== 'read') throw new Error(JSON.stringify(read));
  return read.policy.notify;
}

function problems(yaml: string): readonly string[] {
  const read = parsePolicy(yaml);
  return read.kind === 'refused' ? read.problems.map(({ location, message }) => `${location}: ${message}`) : [];
}

const drift = topicsLike('drift.*');

describe('whom to tell', () => {
  it('is what the policy lists: webhooks, chats, mail', () => {
    const yaml = `
notify:
  - { name: portal, url: "https://portal.example.org/hook?for=it", secretEnv: HOOK_SECRET, topics: ["drift.*", guest.removed], minSeverity: WARNING, format: json, tenant: default }
  - { name: chat, urlEnv: CHAT_URL, format: slack, digest: { after: 3, window: 2m }, quiet: { from: "22:00", to: "06:30", timezone: Europe/Berlin } }
  - { name: ops, email: [ops@example.org], topics: ["*"], from: it@example.org, digest: off }
  - { name: lab, url: "http://169.254.7.7/hook", secretEnv: LAB, allow: [169.254.7.0/24] }
`;
    expect(targets(yaml)).toEqual([
      {
        kind: 'webhook',
        id: 'portal',
        url: { written: 'https://portal.example.org/hook?for=it' },
        secretEnv: 'HOOK_SECRET',
        topics: [...drift, 'guest.removed'],
        minSeverity: 'WARNING',
        format: 'json',
        tenant: 'default',
        digest: DIGEST,
        quiet: null,
        allow: [],
      },
      {
        kind: 'webhook',
        id: 'chat',
        url: { env: 'CHAT_URL' },
        secretEnv: null,
        topics: drift,
        minSeverity: null,
        format: 'slack',
        tenant: null,
        digest: { after: 3, window: 2 * MINUTE },
        quiet: { from: 22 * 60, to: 6 * 60 + 30, timezone: 'Europe/Berlin' },
        allow: [],
      },
      {
        kind: 'mail',
        id: 'ops',
        to: ['ops@example.org'],
        from: 'it@example.org',
        topics: TOPICS,
        minSeverity: null,
        tenant: null,
        digest: null,
        quiet: null,
      },
      expect.objectContaining({
        id: 'lab',
        url: { written: 'http://169.254.7.7/hook' },
        allow: [cidr('169.254.7.0/24')],
      }),
    ]);
  });

  it('has a name that stays while other entries come and go, also where none is written', () => {
    const one = '{ url: "https://a.example.org/x", secretEnv: S }';
    const other = '{ email: [b@example.org, a@example.org] }';
    const [before] = targets(`notify: [${one}]`);
    const after = targets(`notify: [${other}, ${one.replace('secretEnv: S', 'secretEnv: T, topics: ["*"]')}]`);
    expect(after[1]?.id).toBe(before?.id);
    expect(before?.id).toMatch(/^a\.example\.org-[0-9a-f]{8}$/);
    expect(after[0]?.id).toBe(targets('notify: [{ email: [a@example.org, b@example.org] }]')[0]?.id);
    expect(after[0]?.digest).toEqual(MAIL_DIGEST);
  });

  it('goes into the stream of Redis as long as the policy says', () => {
    expect(parsePolicy('redis: { maxLength: 5000 }')).toMatchObject({ policy: { redis: { maxLength: 5_000 } } });
    expect(parsePolicy('redis: {}')).toMatchObject({ policy: { redis: { maxLength: 100_000 } } });
    expect(problems('redis: { maxLength: 0 }')).toEqual([
      'policy.yaml:1: redis.maxLength must be a whole number from 1 to 100000000',
    ]);
  });

  it.each([
    ['- { topics: ["drift.*"] }', 'notify[0].url is missing: say where to tell it, by url, urlEnv or email'],
    ['- { url: nonsense }', 'notify[0].url is not a URL such as https://chat.example.org/hooks/it'],
    ['- { url: "ftp://a.example.org" }', 'notify[0].url must begin with https://, not with ftp://'],
    ['- { url: "https://it:hunter2@a.example.org" }', 'notify[0].url must not hold a user or a password'],
    [
      '- { url: "http://a.example.org" }',
      'is plain http to a.example.org, which is no loopback or private address: use https',
    ],
    ['- { url: "http://93.184.216.34" }', 'is on no loopback or private range, and plain http is for those alone'],
    [
      '- { url: "https://169.254.169.254/x" }',
      'notify[0].url is refused: 169.254.169.254 is a metadata service of a cloud',
    ],
    ['- { url: "https://example.org:0/" }', 'notify[0].url is refused: nobody listens on port 0'],
    [
      '- { url: "https://[2a00:1450::5efe:a9fe:a9fe]/" }',
      '2a00:1450::5efe:a9fe:a9fe stands for 169.254.169.254, a metadata service',
    ],
    ['- { url: "https://[fe80::1]/x" }', 'notify[0].url is refused: fe80::1 is a link-local address'],
    ['- { url: "https://2852039166/x" }', 'notify[0].url is refused: 169.254.169.254 is a metadata service of a cloud'],
    ['- { url: "https://a.example.org", urlEnv: A }', 'notify[0].urlEnv and url are both written: keep one of them'],
    [
      '- { url: "https://a.example.org", email: [a@example.org] }',
      'notify[0].email and url are both written: keep one',
    ],
    ['- { urlEnv: A, email: [a@example.org], topics: [x] }', 'notify[0].email and urlEnv are both written: keep one'],
    [
      '- { url: "https://[64:ff9b::a9fe:a9fe]/" }',
      'notify[0].url is refused: 64:ff9b::a9fe:a9fe stands for 169.254.169.254',
    ],
    ['- { url: "https://[2002:a9fe:a9fe::1]/" }', '2002:a9fe:a9fe::1 stands for 169.254.169.254, a metadata service'],
    [
      '- { url: "https://192.0.0.192/" }',
      '192.0.0.192 is a metadata service of a cloud; if it is meant, write allow: ["192.0.0.192"]',
    ],
    [
      '- { url: "https://a.example.org", secret: hunter2 }',
      'notify[0].secret is refused: secrets are named here (secretEnv)',
    ],
    [
      '- { url: "https://a.example.org", secretEnv: "hunter2 !" }',
      'notify[0].secretEnv must be the name of an environment variable',
    ],
    [
      '- { url: "https://a.example.org", topics: [drift.detcted] }',
      'notify[0].topics[0] "drift.detcted" is no topic and fits none, did you mean "drift.detected"?',
    ],
    ['- { url: "https://a.example.org", topics: [] }', 'notify[0].topics must name at least one topic'],
    [
      '- { url: "https://a.example.org", minSeverity: LOUD }',
      'notify[0].minSeverity must be one of INFO, WARNING, CRITICAL',
    ],
    [
      '- { url: "https://a.example.org", tenant: acme }',
      'notify[0].tenant "acme" is no tenant: there is only "default"',
    ],
    [
      '- { url: "https://a.example.org", digest: { window: 3 } }',
      'notify[0].digest.window must be a time with its unit',
    ],
    ['- { url: "https://a.example.org", quiet: { from: "22:00" } }', 'notify[0].quiet.to is missing'],
    [
      '- { url: "https://a.example.org", quiet: { from: "22:00", to: "26:00" } }',
      'notify[0].quiet.to must be a time of day',
    ],
    [
      '- { url: "https://a.example.org", quiet: { from: "22:00", to: "06:00", timezone: Mars } }',
      '"Mars" is no time zone',
    ],
    ['- { url: "https://a.example.org", allow: [everything] }', 'notify[0].allow[0] must be an address or a prefix'],
    ['- { email: [nobody] }', 'notify[0].email[0] "nobody" is no mail address'],
    ['- { email: [] }', 'notify[0].email must name at least one mail address'],
    ['- { email: [a@example.org], secretEnv: X }', 'notify[0].secretEnv is not a setting that exists'],
    ['- { name: redis, email: [a@example.org] }', 'notify[0].name "redis" is the name of the Redis stream'],
  ])('is refused where it cannot be meant, with the line: %s', (entry, message) => {
    const found = problems(`notify:\n  ${entry}\n`);
    expect(found).toEqual([expect.stringContaining(message)]);
    expect(found[0]).toMatch(/^policy\.yaml:2: /);
    expect(found[0]).not.toContain('hunter2@');
  });

  it('is refused where two have one name', () => {
    const entry = '  - { url: "https://a.example.org/x", secretEnv: S }\n';
    expect(problems(`notify:\n${entry}${entry}`)).toEqual([
      expect.stringMatching(/^policy\.yaml:3: notify\[1\]\.name "a\.example\.org-.*" is there twice/),
    ]);
  });

  it('waits for a burst as long as is written', () => {
    const [one] = targets('notify: [{ url: "https://a.example.org", digest: { after: 0, window: 45s } }]');
    expect(one?.digest).toEqual({ after: 0, window: 45 * SECOND });
  });
});
