import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sudoersCommands } from '../../../src/sources/hosts/commands.js';
import { sshClient } from '../../../src/sources/transport/ssh.js';
import { describeSshd, type Sshd, startSshd } from '../sshd.js';
import { type FakeHost, fakeHost, smallServer } from './fake-host.js';
import { both, collect, hardwareTold, observed, sourcesOf } from './host-rig.js';

// It makes a user and a file of sudoers, and takes them away again: not on somebody's own machine without being asked.
const mayChangeTheSystem = process.getuid?.() === 0 && process.env.REQUIRE_ALL_PARTS === '1';
const USER = 'sankofa-it-host-test';
const SUDOERS = `/etc/sudoers.d/${USER}`;

it('the lines for sudoers name each command word by word', () => {
  expect(sudoersCommands()).toEqual([
    '/usr/bin/timeout -k 1 30 /usr/sbin/dmidecode',
    '/usr/bin/timeout -k 1 120 /usr/bin/lshw -json',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl --scan -j',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a /dev/sd[a-z]',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a /dev/sd[a-z][a-z]',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a /dev/nvme[0-9]',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a /dev/nvme[0-9][0-9]',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a -d megaraid\\,[0-9] /dev/bus/[0-9]',
    '/usr/bin/timeout -k 1 60 /usr/sbin/smartctl -j -a -d megaraid\\,[0-9][0-9] /dev/bus/[0-9]',
    '/usr/bin/timeout -k 1 60 /usr/bin/pvesh get /nodes/localhost/apt/update --output-format json',
  ]);
});

if (!mayChangeTheSystem) {
  describe.skip('a host as a plain user (makes a user: only as root and with REQUIRE_ALL_PARTS=1)', () => {});
} else if (!existsSync('/usr/bin/sudo')) {
  it('a host as a plain user: needs sudo', () => {
    throw new Error('sudo is missing: install sudo');
  });
} else {
  describeSshd('a host as a plain user', () => {
    let sshd: Sshd;
    let host: FakeHost;
    beforeAll(async () => {
      sshd = await startSshd();
      host = fakeHost();
      smallServer(host);
      execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', '--password', '*', USER]);
      allow(sudoersCommands(host.paths));
      return async () => {
        rmSync(SUDOERS, { force: true });
        await sshd.stop();
        execFileSync('userdel', [USER]);
        host.end();
      };
    });

    const allow = (commands: readonly string[]) => {
      const alias = `Cmnd_Alias SANKOFA_IT_HOST_TEST = \\\n  ${commands.join(', \\\n  ')}\n`;
      writeFileSync(SUDOERS, `${alias}${USER} ALL=(root) NOPASSWD: SANKOFA_IT_HOST_TEST\n`, { mode: 0o440 });
      execFileSync('/usr/sbin/visudo', ['-cqf', SUDOERS]);
    };
    const sources = () => both(sourcesOf(sshd.settings({ user: USER }), host.paths));

    it('with those lines tells all', async () => {
      const megaraid = {
        smartctl: { exit_status: 0 },
        model_name: 'HDD',
        serial_number: 'M12',
        smart_status: { passed: true },
      };
      host.answer('smartctl', '-j -a -d megaraid,12 /dev/bus/6', megaraid);
      const devices = [
        { name: '/dev/sda', type: 'sat' },
        { name: '/dev/bus/6', type: 'megaraid,12' },
      ];
      host.answer('smartctl', '--scan -j', { smartctl: { exit_status: 0 }, devices });
      const told = hardwareTold(observed(await collect(sources().hardware)));
      expect({ ...told, parts: told.parts.filter((line) => line.startsWith('disks')) }).toEqual({
        sections: ['system', 'cpus', 'memory', 'disks', 'network', 'pci'],
        parts: [
          'disks A1 | - | SSD | A1 | 480000000000 | ssd',
          'disks B2 | - | SSD | B2 | 480000000000 | ssd',
          'disks M12 | - | HDD | M12 | - | -',
        ],
        complete: ['hardware', 'hardware.health', 'hardware.updates'],
        ...{ nodes: ['pve1'], notes: [] },
      });
    });

    it.each([
      'dmidecode -q',
      'lshw -json -dump /tmp/x',
      'smartctl -j -a /dev/sda /dev/sdb',
      'smartctl -j -a /dev/../etc/shadow',
      'smartctl -s off /dev/sda',
      'pvesh get /nodes/localhost/apt/update',
    ])('may run nothing else: %s', async (words) => {
      const [tool = '', ...args] = words.split(' ');
      const line = `sudo -n /usr/bin/timeout -k 1 60 ${host.dir}/${tool} ${args.join(' ')}`;
      host.ran();
      const client = sshClient(sshd.settings({ user: USER }));
      const { code } = await client
        .run({ line, signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 })
        .finally(() => client.close());
      expect({ isRefused: code !== 0, ran: host.ran() }).toEqual({ isRefused: true, ran: [] });
    });

    it('without any line tells its neighbours and its disks, and which tools sudo does not let run', async () => {
      allow(['/usr/bin/true']);
      const { neighbours, hardware } = sources();
      expect(observed(await collect(neighbours)).records).toHaveLength(2);
      const told = hardwareTold(observed(await collect(hardware)));
      expect(told).toMatchObject({ sections: ['disks'], complete: ['hardware'] });
      const tools = ['dmidecode', 'lshw -json', 'smartctl --scan -j', 'pvesh get /nodes/localhost/apt/update'];
      expect(told.notes).toEqual(
        tools.map((line) =>
          expect.stringMatching(
            `^\`${line}\`: sudo does not let it be run .*; the manual lists the lines for sudoers$`,
          ),
        ),
      );
    });
  });
}
