import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Secret, type SshSettings } from '../../../src/domain/settings.js';
import { type SshClient, type SshLimits, sshClient } from '../../../src/sources/transport/ssh.js';
import { TransportError } from '../../../src/sources/transport/transport-error.js';
import { NOBODY } from '../scripted-server.js';
import { describeSshd, freePort, keygen, type Sshd, startSshd } from '../sshd.js';

const clients: SshClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function client(settings: SshSettings, limits: Partial<SshLimits> = {}): SshClient {
  const made = sshClient(settings, { connectMs: 5_000, ...limits });
  clients.push(made);
  return made;
}

const never = () => new AbortController().signal;
const run = (of: SshClient, line: string, timeoutMs = 20_000, signal = never()) => of.run({ line, timeoutMs, signal });

/** What went wrong, as a person and as the code see it. */
async function trouble(work: Promise<unknown>): Promise<{ readonly setback: string; readonly message: string }> {
  const error = await work.then(
    (value) => new Error(`it went well: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TransportError)) throw error;
  return { setback: error.setback, message: error.message };
}

async function until(claim: () => boolean): Promise<void> {
  for (let tried = 0; tried < 400 && !claim(); tried++) await sleep(25);
  expect(claim()).toBe(true);
}

const isAlive = (pid: number) => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describeSshd('a host over SSH', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd({ keys: ['rsa', 'ecdsa', 'ed25519'] });
    return () => sshd.stop();
  });

  it('runs a command and tells its output, its errors and its exit code apart', async () => {
    const answer = await run(client(sshd.settings()), 'echo out; echo err >&2; exit 3');
    expect(answer).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('gives a command no input to wait for', async () => {
    expect(await run(client(sshd.settings()), 'cat; echo end')).toMatchObject({ stdout: 'end\n' });
  });

  it.each(['ed25519', 'ecdsa', 'rsa'] as const)(
    'knows the host by its %s key, whichever others it has',
    async (kind) => {
      const settings = sshd.settings({ hostKeyFingerprint: sshd.fingerprint(kind) });
      expect(await run(client(settings), 'echo hello')).toMatchObject({ stdout: 'hello\n' });
    },
  );

  it('says nothing to a host with another key, and which keys it showed', async () => {
    const settings = sshd.settings({ hostKeyFingerprint: `SHA256:${'A'.repeat(43)}` });
    const { setback, message } = await trouble(run(client(settings), 'true'));
    expect(setback).toBe('host-key');
    for (const kind of ['ed25519', 'ecdsa', 'rsa'] as const) expect(message).toContain(sshd.fingerprint(kind));
    expect(message).toContain('nothing was sent');
  });

  it('uses one connection for many commands, at most eight at once, and loses none of forty', async () => {
    const host = client(sshd.settings());
    const before = sshd.log().match(/Accepted publickey/g)?.length ?? 0;
    const gauge = join(sshd.dir, 'gauge');
    const line = (n: number) => `echo + >>${gauge}; sleep 0.05; echo - >>${gauge}; echo ${n}`;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => run(host, line(n))));
    expect(answers.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 40 }, (_, n) => `${n}\n`));
    expect((sshd.log().match(/Accepted publickey/g)?.length ?? 0) - before).toBe(1);
    let [under, most] = [0, 0];
    for (const mark of readFileSync(gauge, 'utf8').trim().split('\n')) {
      under += mark === '+' ? 1 : -1;
      most = Math.max(most, under);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('carries a large answer whole', async () => {
    const { stdout } = await run(client(sshd.settings()), 'head -c 5000000 /dev/zero | tr "\\0" x');
    expect(stdout.length).toBe(5_000_000);
  });

  it('gives up an answer larger than allowed, and ends its command', async () => {
    const host = client(sshd.settings(), { maxOutputBytes: 100_000 });
    const pid = join(sshd.dir, 'pid-large');
    expect(await trouble(run(host, `echo $$ >${pid}; exec yes`))).toEqual({
      setback: 'too-large',
      message: 'the command wrote more than 100000 bytes',
    });
    await until(() => !isAlive(Number(readFileSync(pid, 'utf8'))));
    expect(await run(host, 'echo on')).toMatchObject({ stdout: 'on\n' });
  });

  it('keeps the beginning of what a command complains of without end', async () => {
    const host = client(sshd.settings(), { maxErrorBytes: 10 });
    expect(await run(host, 'seq 100000 >&2')).toEqual({ code: 0, stdout: '', stderr: '1\n2\n3\n4\n5\n' });
  });

  it('ends a command that takes too long, at the host too', async () => {
    const pid = join(sshd.dir, 'pid-slow');
    const slow = run(client(sshd.settings()), `echo $$ >${pid}; exec timeout -k 1 4 sleep 600`, 1_000);
    expect(await trouble(slow)).toEqual({
      setback: 'timeout',
      message: 'the command did not end within 1 s; is the host overloaded?',
    });
    await until(() => !isAlive(Number(readFileSync(pid, 'utf8'))));
  });

  it('ends a command whose caller cancels, at the host too, and its place is free again', async () => {
    const host = client(sshd.settings(), { channels: 1 });
    const pid = join(sshd.dir, 'pid-cancelled');
    const cancel = new AbortController();
    const cancelled = run(host, `echo $$ >${pid}; exec timeout -k 1 4 sleep 600`, 20_000, cancel.signal);
    const waiting = new AbortController();
    const queued = run(host, 'echo never', 20_000, waiting.signal);
    const settled = Promise.allSettled([cancelled, queued]);
    await until(() => sshd.log().includes('Starting session') && isAlive(pidIn(pid)));
    waiting.abort(new Error('nobody waits'));
    cancel.abort(new Error('the gateway stops'));
    expect(await settled).toMatchObject([
      { reason: { message: 'the gateway stops' } },
      { reason: { message: 'nobody waits' } },
    ]);
    await until(() => !isAlive(pidIn(pid)));
    expect(await run(host, 'echo on')).toMatchObject({ stdout: 'on\n' });
  });

  it('calls a command that a signal ended a failure, not an answer', async () => {
    expect(await trouble(run(client(sshd.settings()), 'echo half; kill -9 $$'))).toMatchObject({
      setback: 'cut',
      message: 'the command was ended by SIGKILL',
    });
  });

  it('opens an encrypted key with its passphrase, and says what is wrong without', async () => {
    const file = join(sshd.dir, 'encrypted');
    keygen(file, 'ed25519', 'open sesame');
    writeFileSync(join(sshd.dir, 'authorized_keys'), `${sshd.publicKey}\n${readFileSync(`${file}.pub`, 'utf8')}`);
    const key = new Secret(readFileSync(file, 'utf8'));
    const opened = client(sshd.settings({ key, passphrase: new Secret('open sesame') }));
    expect(await run(opened, 'echo in')).toMatchObject({ stdout: 'in\n' });
    const { setback, message } = await trouble(run(client(sshd.settings({ key })), 'true'));
    expect({ setback, message }).toMatchObject({ setback: 'auth', message: expect.stringContaining('no passphrase') });
  });

  it('says who was not let in', async () => {
    const file = join(sshd.dir, 'stranger');
    keygen(file);
    const settings = sshd.settings({ key: new Secret(readFileSync(file, 'utf8')), user: 'nobody-known' });
    const { setback, message } = await trouble(run(client(settings), 'true'));
    expect(setback).toBe('auth');
    expect(message).toContain('nobody-known was not let in with this key');
  });
});

const pidIn = (file: string) => {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
};

describeSshd('a host that is not what it was', () => {
  const settingsAt = (port: number): SshSettings => ({
    ...{ host: '127.0.0.1', port, user: 'root', key: new Secret(throwaway()), passphrase: null },
    hostKeyFingerprint: `SHA256:${'A'.repeat(43)}`,
  });
  let key: string | undefined;
  let sshd: Sshd;
  const throwaway = () => (key ??= sshd.clientKey);
  beforeAll(async () => {
    sshd = await startSshd();
    return () => sshd.stop();
  });

  it('refuses', async () => {
    expect(await trouble(run(client(settingsAt(await freePort())), 'true'))).toEqual({
      setback: 'refused',
      message: NOBODY,
    });
  });

  it('does not resolve', async () => {
    const settings = { ...settingsAt(22), host: 'no-such-host.invalid' };
    expect(await trouble(run(client(settings), 'true'))).toMatchObject({ setback: 'dns' });
  });

  it('says nothing', async () => {
    const port = await listener(() => {});
    expect(await trouble(run(client(settingsAt(port), { connectMs: 300 }), 'true'))).toEqual({
      setback: 'connect-timeout',
      message: 'no connection within 0.3 s; is it up, does a firewall let us there?',
    });
  });

  it('speaks something else', async () => {
    const port = await listener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { setback, message } = await trouble(run(client(settingsAt(port)), 'true'));
    expect(['unfit', 'cut']).toContain(setback);
    expect(message).not.toBe('');
  });

  it('dies while a command runs: that command fails, and the next one finds it again', async () => {
    const port = await freePort();
    const first = await startSshd({ port });
    const settings = first.settings();
    const host = client(settings);
    const running = trouble(run(host, 'echo begun; exec sleep 600'));
    await until(() => first.log().includes('Starting session'));
    const hostKey = readFileSync(join(first.dir, 'host_ed25519'), 'utf8');
    await first.stop();
    // Sent once more, it finds nobody there.
    expect(await running).toMatchObject({ setback: expect.stringMatching(/^(cut|refused)$/) });

    const second = await startSshd({ port });
    onTestFinished(() => second.stop());
    expect(hostKey).not.toBe('');
    const { setback, message } = await trouble(run(host, 'echo again'));
    expect({ setback, message }).toMatchObject({
      setback: 'host-key',
      message: expect.stringContaining(second.fingerprint()),
    });
  });

  it('drops the connection between two commands, which nobody notices', async () => {
    const own = await startSshd();
    onTestFinished(() => own.stop());
    const host = client(own.settings());
    await run(host, 'true');
    await run(host, 'kill -9 $PPID').catch(() => {});
    expect(await run(host, 'echo again')).toMatchObject({ stdout: 'again\n' });
    expect(own.log().match(/Accepted publickey/g)?.length).toBeGreaterThan(1);
  });

  it('hangs: its keep-alives end the wait', async () => {
    const own = await startSshd();
    onTestFinished(() => own.stop());
    const host = client(own.settings(), { keepAliveMs: 100, connectMs: 500 });
    await run(host, 'true');
    const running = trouble(run(host, 'exec sleep 600', 60_000));
    await until(() => (own.log().match(/Starting session/g)?.length ?? 0) === 2);
    own.freeze();
    // Sent once more, it waits for a connection that nobody accepts.
    expect(await running).toMatchObject({ setback: expect.stringMatching(/^(cut|connect-timeout)$/) });
    own.thaw();
    expect(await run(host, 'echo again')).toMatchObject({ stdout: 'again\n' });
  });

  it('allows fewer sessions than are wanted: they wait for each other', async () => {
    const own = await startSshd({ config: ['MaxSessions 2'] });
    onTestFinished(() => own.stop());
    const host = client(own.settings(), { channels: 4 });
    const answers = await Promise.all([1, 2, 3, 4].map((n) => run(host, `sleep 0.1; echo ${n}`)));
    expect(answers.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
  });
});

async function listener(greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
