import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkSettings } from '../../src/app/settings-check.js';
import { readConfig } from '../../src/config.js';

const NOW = Date.parse('2026-11-21T12:00:00Z');
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sankofa-check-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function warned(policy: string, env: Readonly<Record<string, string>> = {}) {
  await writeFile(join(dir, 'policy.yaml'), policy);
  const config = readConfig({ CONFIG_DIR: dir, DATA_DIR: dir, ...env });
  const checked = await checkSettings(config, NOW);
  return checked.filter(({ location }) => location.startsWith('policy.yaml'));
}

it('warns of what in a good policy has no effect here, with line and field, and of nothing once it is mended', async () => {
  const policy = `ignore:
  - { tag: lab, until: 2020-01-01 }
notify:
  - { name: portal, url: "https://portal.example.org/hook", secretEnv: HOOK_SECRET }
  - { name: ops, email: [ops@example.org] }
`;
  const over = {
    level: 'warning',
    location: 'policy.yaml:2',
    message: 'ignore[0].until is over since 2020-01-02T00:00:00.000Z: this rule has no effect any more',
  };
  expect(await warned(policy)).toEqual([
    over,
    {
      level: 'warning',
      location: 'policy.yaml:4',
      message: 'notify[0].secretEnv HOOK_SECRET is not set: nothing is sent unsigned ("portal" is told nothing)',
    },
    {
      level: 'warning',
      location: 'policy.yaml:5',
      message: 'notify[1].email SMTP_URL is not set: no mail can be sent ("ops" is told nothing)',
    },
  ]);
  expect(await warned(policy, { HOOK_SECRET: 'hunter2', SMTP_URL: 'smtp://mail.example.org' })).toEqual([over]);
});
