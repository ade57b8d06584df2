import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './open-gateway.js';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = join(ROOT, 'bin/sankofa-it.js');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('sankofa-it', () => {
  let folder: string;
  let env: Record<string, string>;
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    await execute('npm', ['run', '--silent', 'build'], { cwd: ROOT });
    folder = await mkdtemp(join(tmpdir(), 'sankofa-cli-'));
    await mkdir(join(folder, 'config'));
    env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      CONFIG_DIR: join(folder, 'config'),
      SIMULATE_GUESTS: '20',
    };
  }, 120_000);

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    // A last start and stop ends the PostgreSQL that a killed gateway leaves running.
    await ran(['migrate']);
    for (const dataDir of [join(folder, 'data'), join(folder, 'home', 'data')]) await removeElsewhere(dataDir);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** As root the database may lie below the system's state directory: a note in DATA_DIR says where. */
  async function removeElsewhere(dataDir: string): Promise<void> {
    const note = await readFile(join(dataDir, 'postgres-is-elsewhere.txt'), 'utf8').catch(() => '');
    const place = note.split('\n')[1] ?? '';
    if (/^\/var\/lib\/sankofa-it\/[0-9a-f]{16}$/.test(place)) await rm(place, { recursive: true, force: true });
  }

  function ran(args: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [COMMAND, ...args],
        { env: { ...env, ...more }, timeout: 60_000 },
        (error, out, err) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, out, err });
        },
      );
    });
  }

  async function serve(
    more: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; url: string; lines: string[] }> {
    const child = spawn(process.execPath, [COMMAND, 'serve'], {
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const lines: string[] = [];
    let rest = '';
    child.stdout.on('data', (chunk) => {
      rest += String(chunk);
      const parts = rest.split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    const url = await eventually(() => {
      const line = lines.find((text) => text.includes('"msg":"listening"'));
      return line === undefined ? undefined : (JSON.parse(line) as { url: string }).url;
    }, 30_000);
    return { child, url, lines };
  }

  function ended(child: ChildProcess): Promise<number | null> {
    return new Promise((resolve) => {
      if (child.exitCode !== null) resolve(child.exitCode);
      child.once('exit', (code) => {
        running.delete(child);
        resolve(code);
      });
    });
  }

  it('names everything that is wrong with the environment at once, and exits with 2', async () => {
    const { code, err } = await ran(['serve'], { PORT: 'eighty', LOG_LEVEL: 'loud' });
    expect(code).toBe(2);
    expect(err).toMatch(/PORT/);
    expect(err).toMatch(/LOG_LEVEL/);
  });

  it('refuses a sources.yaml that cannot be read, with the line, and exits with 2', async () => {
    const config = join(folder, 'bad');
    await mkdir(config);
    await writeFile(join(config, 'sources.yaml'), 'clusters:\n  - name: "main\n');
    const { code, err } = await ran(['serve'], { CONFIG_DIR: config, DATA_DIR: join(folder, 'data') });
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringMatching(/sources\.yaml:\d+/) });
  }, 60_000);

  it('exits with 2 on wrong usage and with 0 for --help, everywhere', async () => {
    expect((await ran(['collect', '--nonsense'])).code).toBe(2);
    for (const verb of ['serve', 'collect', 'drift', 'migrate', 'simulate', 'api-key', 'config']) {
      const { code, out } = await ran([verb, '--help']);
      expect([verb, code, out.includes('Usage: sankofa-it')]).toEqual([verb, 0, true]);
    }
  }, 60_000);

  it('starts with nothing but Node, answers, survives kill -9, and stops in order on SIGTERM', async () => {
    const first = await serve();
    const keyFile = join(folder, 'data', 'admin-api-key');
    const key = (await readFile(keyFile, 'utf8')).trim();
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(first.lines.join('\n')).not.toContain(key);
    const answer = await fetch(`${first.url}/v1/summary`, { headers: { 'x-api-key': key } });
    expect(answer.status).toBe(200);
    expect((await fetch(`${first.url}/v1/summary`)).status).toBe(401);
    await eventually(async () => ((await fetch(`${first.url}/readyz`)).status === 200 ? true : undefined), 30_000);

    first.child.kill('SIGKILL');
    await ended(first.child);
    const second = await serve();
    const again = await fetch(`${second.url}/v1/inventory/guests`, { headers: { 'x-api-key': key } });
    const { guests } = (await again.json()) as { guests: unknown[] };
    // A restart forgets nothing: the first answer is of what was known before.
    expect(guests.length).toBeGreaterThan(0);

    const findings = await ran(['drift', '--json']);
    expect(findings.code).toBe(0);
    expect(Array.isArray(JSON.parse(findings.out))).toBe(true);
    const collected = await ran(['collect', 'proxmox_guest_ipam', '--json']);
    expect(collected.code).toBe(0);
    expect(JSON.parse(collected.out)).toMatchObject([{ source: 'proxmox:sim-main', outcome: 'OBSERVED' }]);

    const made = JSON.parse(
      (await ran(['api-key', 'create', '--name', 'portal', '--roles', 'viewer', '--json'])).out,
    ) as {
      apiKey: { id: string };
      secret: string;
    };
    const asPortal = () =>
      fetch(`${second.url}/v1/summary`, { headers: { 'x-api-key': made.secret } }).then(({ status }) => status);
    expect(await asPortal()).toBe(200);
    const listed = await ran(['api-key', 'list']);
    expect(listed.out).toContain(made.apiKey.id);
    expect(listed.out).not.toContain(made.secret);
    expect((await ran(['api-key', 'revoke', made.apiKey.id])).code).toBe(0);
    await eventually(async () => ((await asPortal()) === 401 ? true : undefined));

    second.child.kill('SIGTERM');
    expect(await ended(second.child)).toBe(0);
    expect((await ran(['migrate'])).out).toContain('nothing to do');
  }, 180_000);

  it('starts where PostgreSQL cannot reach the data, and where nobody else may look', async () => {
    const home = join(folder, 'home');
    await mkdir(home, { mode: 0o700 });
    await chmod(home, 0o700);
    const { child, url } = await serve({ HOME: home, DATA_DIR: join(home, 'data') });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(0);
  }, 60_000);

  it('checks the settings: what is wrong is an error with its line, and the exit code says so', async () => {
    const config = join(folder, 'checked');
    await mkdir(config);
    expect(await ran(['config', 'check'], { CONFIG_DIR: config })).toMatchObject({ code: 0 });
    await writeFile(
      join(config, 'sources.yaml'),
      'clusters:\n  - name: main\n    api:\n      urls: [https://192.0.2.1:8006]\n      tokenId: nonsense\n      tokenSecretEnv: MISSING\n',
    );
    const { code, out } = await ran(['config', 'check', '--json'], { CONFIG_DIR: config });
    expect(code).toBe(1);
    const found = JSON.parse(out) as { location: string; message: string }[];
    expect(found.map(({ location }) => location)).toContainEqual(expect.stringMatching(/^sources\.yaml:[56]$/));
  });
});
