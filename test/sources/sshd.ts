import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { Secret, type SshSettings } from '../../src/domain/settings.js';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

/** A group of tests against OpenSSH's own server: skipped by name without it, failing where all parts are required. */
export function describeSshd(name: string, tests: () => void): void {
  if (SSHD !== undefined) describe(name, tests);
  else if (process.env.REQUIRE_ALL_PARTS === '1') {
    it(`${name}: needs sshd`, () => {
      throw new Error('sshd is missing: install openssh-server');
    });
  } else describe.skip(`${name} (sshd is missing: install openssh-server)`, tests);
}

export type KeyKind = 'ed25519' | 'ecdsa' | 'rsa';

/** An OpenSSH server of its own on the loopback, that lets in whoever runs the tests, with one key. */
export interface Sshd {
  readonly port: number;
  readonly dir: string;
  readonly clientKey: string;
  readonly publicKey: string;
  /** As `ssh-keygen -lf` prints it. */
  fingerprint(kind?: KeyKind): string;
  settings(more?: Partial<SshSettings>): SshSettings;
  /** Ends the server and every connection that it has. */
  stop(): Promise<void>;
  /** Stops or continues the server and its connections, as a host that hangs. */
  freeze(): void;
  thaw(): void;
  log(): string;
}

export async function startSshd(
  more: { readonly keys?: readonly KeyKind[]; readonly config?: readonly string[]; readonly port?: number } = {},
): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), 'sshd-'));
  chmodSync(dir, 0o755);
  for (const kind of more.keys ?? ['ed25519']) keygen(join(dir, `host_${kind}`), kind);
  keygen(join(dir, 'client'), 'ed25519');
  const publicKey = readFileSync(join(dir, 'client.pub'), 'utf8').trim();
  writeFileSync(join(dir, 'authorized_keys'), `${publicKey}\n`);
  const port = more.port ?? (await freePort());
  writeFileSync(
    join(dir, 'sshd_config'),
    [
      ...['ListenAddress 127.0.0.1', `Port ${port}`, `PidFile ${dir}/pid`, 'UsePAM no', 'StrictModes no'],
      ...['PasswordAuthentication no', 'PermitRootLogin prohibit-password', 'LogLevel VERBOSE'],
      ...(more.keys ?? ['ed25519']).map((kind) => `HostKey ${dir}/host_${kind}`),
      // What the login shell of whoever runs the tests reads at its start is none of theirs.
      `SetEnv HOME=${dir}`,
      ...(more.config ?? []),
      `AuthorizedKeysFile ${dir}/authorized_keys`,
    ].join('\n'),
  );
  // Where it gives up its rights; Debian's service makes it, and here no service runs.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const server = spawn(SSHD ?? '', ['-D', '-e', '-f', join(dir, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  await listening(server, port, () => log);
  const family = () => [...descendants(server.pid), server.pid].filter((pid) => pid !== undefined);
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of family()) tryKill(pid, signal);
  };
  return {
    ...{ port, dir, publicKey, clientKey: readFileSync(join(dir, 'client'), 'utf8'), log: () => log },
    fingerprint: (kind = 'ed25519') => printed(join(dir, `host_${kind}.pub`)),
    settings: (rest = {}) => ({
      ...{ host: '127.0.0.1', port, user: userInfo().username, passphrase: null },
      key: new Secret(readFileSync(join(dir, 'client'), 'utf8')),
      hostKeyFingerprint: printed(join(dir, `host_${more.keys?.[0] ?? 'ed25519'}.pub`)),
      ...rest,
    }),
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    async stop() {
      const isOver = server.exitCode !== null || server.signalCode !== null;
      const ended = isOver ? undefined : new Promise((resolve) => server.once('exit', resolve));
      signalAll('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function keygen(file: string, kind: KeyKind = 'ed25519', passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', kind, '-N', passphrase, '-C', 'test', '-f', file]);
}

function printed(publicKey: string): string {
  return execFileSync('ssh-keygen', ['-lf', publicKey], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error()),
      );
    });
  });
}

async function listening(server: ChildProcess, port: number, log: () => string): Promise<void> {
  for (let tried = 0; tried < 200; tried++) {
    if (server.exitCode !== null) throw new Error(`sshd ended at once: ${log()}`);
    if (await answers(port)) return;
    await sleep(25);
  }
  throw new Error(`sshd does not listen: ${log()}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The sessions of a server are children of children; what they run is theirs too. */
function descendants(pid: number | undefined): readonly number[] {
  if (pid === undefined) return [];
  const children = execFileSync('sh', ['-c', `cat /proc/${pid}/task/*/children 2>/dev/null || true`], {
    encoding: 'utf8',
  });
  const own = children.split(/\s+/).filter(Boolean).map(Number);
  return own.flatMap((child) => [child, ...descendants(child)]);
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone by itself.
  }
}
