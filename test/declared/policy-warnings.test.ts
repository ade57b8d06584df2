import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/declared/policy-file.js';
import { policyWarnings } from '../../src/declared/policy-warnings.js';
import { Secret } from '../../src/domain/settings.js';
import type { Means } from '../../src/domain/target-lack.js';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const nothing: Means = { secret: () => undefined, smtpUrl: null };
const holding = (variables: Readonly<Record<string, string>>, smtp?: string): Means => ({
  secret: (name) => (variables[name] === undefined ? undefined : new Secret(variables[name])),
  smtpUrl: smtp === undefined ? null : new Secret(smtp),
});

function warnings(text: string, means: Means): readonly string[] {
  const read = parsePolicy(text);
  if (read.kind !== 'read') throw new Error(JSON.stringify(read.problems));
  return policyWarnings(read, means, NOW).map(({ location, message }) => `${location}: ${message}`);
}

describe('a policy that is taken, and of which something has no effect, is warned of', () => {
  const targets = `notify:
  - name: portal
    url: "https://portal.example.org/hook"
    secretEnv: HOOK_SECRET
  - { name: chat, urlEnv: CHAT_URL, format: slack }
  - name: ops
    email: [ops@example.org]
  - { name: open, url: "https://open.example.org/hook" }
`;

  it('where a target names a variable that is not set, or there is no way for mail', () => {
    expect(warnings(targets, nothing)).toEqual([
      'policy.yaml:4: notify[0].secretEnv HOOK_SECRET is not set: nothing is sent unsigned ("portal" is told nothing)',
      'policy.yaml:5: notify[1].urlEnv CHAT_URL is not set: it must hold the address ("chat" is told nothing)',
      'policy.yaml:7: notify[2].email SMTP_URL is not set: no mail can be sent ("ops" is told nothing)',
    ]);
    const set = holding({ HOOK_SECRET: 'a', CHAT_URL: 'https://chat.example.org/x' }, 'smtp://mail');
    expect(warnings(targets, set)).toEqual([]);
  });

  it.each([
    ['hunter2', 'CHAT_URL holds no address that begins with https:// and has no user in it'],
    ['hunter2://chat', 'CHAT_URL holds no address that begins with https:// and has no user in it'],
    ['https://hunter2@chat.example.org', 'CHAT_URL holds no address that begins with https:// and has no user in it'],
    [
      'https://169.254.169.254/hunter2',
      'CHAT_URL is refused: 169.254.169.254 is a metadata service of a cloud; if it is meant, write allow: ["169.254.169.254"]',
    ],
  ])('where a variable holds no address that can be used, without repeating it: %s', (content, why) => {
    const found = warnings('notify:\n  - { name: chat, urlEnv: CHAT_URL }\n', holding({ CHAT_URL: content }));
    expect(found).toEqual([`policy.yaml:2: notify[0].urlEnv ${why} ("chat" is told nothing)`]);
  });

  it('where a rule has ended', () => {
    const text = `ignore:
  - { tag: lab, until: 2027-01-01 }
  - tag: old
    until: 2020-01-01
  - { tag: today, until: 2026-11-21 }
  - { tag: gone, until: "2026-11-21T12:00:00Z" }
  - { tag: always }
`;
    expect(warnings(text, nothing)).toEqual([
      'policy.yaml:4: ignore[1].until is over since 2020-01-02T00:00:00.000Z: this rule has no effect any more',
      'policy.yaml:6: ignore[3].until is over since 2026-11-21T12:00:00.000Z: this rule has no effect any more',
    ]);
  });
});
