import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProxmoxSource } from '../../../src/sources/proxmox/source.js';
import { proxmoxSshSource } from '../../../src/sources/proxmox-ssh/source.js';
import { sshClient } from '../../../src/sources/transport/ssh.js';
import { fenced } from '../../testkit/manual.js';
import { T0 } from '../proxmox/known.js';
import { container, guest } from '../proxmox/scripted-pve.js';
import { observe, reason, settings, told } from '../proxmox/source-rig.js';
import { describeSshd, type Sshd, startSshd } from '../sshd.js';
import { type FakeNode, fakeNode, smallCluster } from './fake-node.js';

// It makes a user and a file of sudoers, and takes them away again: not on somebody's own machine without being asked.
const mayChangeTheSystem = process.getuid?.() === 0 && process.env.REQUIRE_ALL_PARTS === '1';
const USER = 'sankofa-it-test';
const SUDOERS = `/etc/sudoers.d/${USER}`;

if (!mayChangeTheSystem) {
  describe.skip('as a plain user (makes a user: only as root and with REQUIRE_ALL_PARTS=1)', () => {});
} else if (!existsSync('/usr/bin/sudo')) {
  it('as a plain user: needs sudo', () => {
    throw new Error('sudo is missing: install sudo');
  });
} else {
  describeSshd("as a plain user, with the manual's lines for sudoers", () => {
    let sshd: Sshd;
    let node: FakeNode;
    const sources: ProxmoxSource[] = [];
    beforeAll(async () => {
      sshd = await startSshd();
      node = fakeNode();
      execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', '--password', '*', USER]);
      writeFileSync(SUDOERS, sudoers(node), { mode: 0o440 });
      execFileSync('/usr/sbin/visudo', ['-cqf', SUDOERS]);
      smallCluster(node, [guest(101), container(102), guest(103, { status: 'stopped', node: 'pve2' })]);
      // As below the real /etc/pve: nobody but root may read a config.
      execFileSync('chmod', ['-R', 'go-rwx', join(node.paths.etcPve, 'nodes'), join(node.paths.etcPve, '.vmlist')]);
      return async () => {
        await Promise.all(sources.map((each) => each.close()));
        rmSync(SUDOERS, { force: true });
        await sshd.stop();
        execFileSync('userdel', [USER]);
        node.end();
      };
    });

    /** The lines as they are printed, with our places of pvesh and of /etc/pve. */
    const sudoers = ({ paths }: FakeNode) => {
      const [lines = ''] = fenced('docs/connect.md', 'sudoers');
      const placed = lines.replaceAll('/usr/bin/pvesh', paths.pvesh).replaceAll('/etc/pve', paths.etcPve);
      return placed.replace(/^it-read /m, `${USER} `);
    };
    const source = () => {
      const over = settings([], { api: null, ssh: sshd.settings({ user: USER }) });
      const made = proxmoxSshSource(over, { now: () => T0, paths: node.paths });
      sources.push(made);
      return made;
    };
    const run = (line: string) => {
      const client = sshClient(sshd.settings({ user: USER }));
      return client.run({ line, signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 }).finally(() => client.close());
    };

    it('everything is read', async () => {
      const seen = await observe(source());
      expect(told(seen.parts)).toEqual([
        'addresses 103 none: stopped',
        ...['config 101 read', 'config 102 read', 'config 103 read', 'power pve1 read', 'power pve2 read'],
      ]);
      expect(seen.notes).toHaveLength(1);
    });

    it.each([
      'cat ETC/nodes/pve1/qemu-server/101.conf',
      'sudo -n /usr/bin/cat ETC/nodes/pve1/qemu-server/101.conf',
      'sudo -n /usr/bin/timeout -k 1 30 /usr/bin/cat ETC/nodes/pve1/qemu-server/101.conf',
      'sudo -n /usr/bin/timeout -k 1 30 PVESH set /cluster/options --output-format json',
      "sudo -n /usr/bin/timeout -k 1 30 /usr/bin/find ETC/nodes -mindepth 3 -maxdepth 3 -type f -name 'x.conf' -exec /usr/bin/tail -v -n +1 {} +",
      "sudo -n /usr/bin/timeout -k 1 30 /usr/bin/find ETC/nodes -mindepth 3 -maxdepth 3 -type f -name '*.conf' -exec /usr/bin/rm {} +",
    ])('and nothing else is allowed: %s', async (line) => {
      const { code, stdout } = await run(
        line.replaceAll('ETC', node.paths.etcPve).replaceAll('PVESH', node.paths.pvesh),
      );
      expect({ isRefused: code !== 0, stdout }).toEqual({ isRefused: true, stdout: '' });
    });

    it('a command that the lines do not name is told with the way to mend it', async () => {
      writeFileSync(SUDOERS, '', { mode: 0o440 });
      const words = await reason(source()).finally(() => writeFileSync(SUDOERS, sudoers(node), { mode: 0o440 }));
      expect(words).toContain('sudo does not let it be run');
      expect(words).toContain('the manual lists the lines for sudoers');
    });

    it('a command of its own is killed where it is cancelled', async () => {
      const cancel = new AbortController();
      const client = sshClient(sshd.settings({ user: USER }));
      const mark = `${60_000 + process.pid}`;
      const running = client.run({ line: `exec sleep ${mark}`, signal: cancel.signal, timeoutMs: 60_000 });
      const ended = expect(running).rejects.toThrow('stop');
      const isThere = () => isRunning(`sleep\0${mark}\0`);
      await expect.poll(isThere, { timeout: 10_000 }).toBe(true);
      cancel.abort(new Error('stop'));
      await ended;
      await expect.poll(isThere, { timeout: 10_000 }).toBe(false);
      client.close();
    });
  });
}

/** Whether a process has just this command line, its words ended by NUL as the kernel tells them. */
function isRunning(words: string): boolean {
  return readdirSync('/proc').some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8') === words;
    } catch {
      return false;
    }
  });
}
