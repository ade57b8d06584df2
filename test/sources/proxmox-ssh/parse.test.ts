import { describe, expect, it } from 'vitest';
import { confFiles } from '../../../src/sources/proxmox-ssh/parse/conf-files.js';
import { confConfig, confOptions } from '../../../src/sources/proxmox-ssh/parse/guest-conf.js';
import { failureWords, pveshContent } from '../../../src/sources/proxmox-ssh/parse/pvesh.js';
import { vmList, vmListMark, writtenSince } from '../../../src/sources/proxmox-ssh/parse/vmlist.js';
import { describeRecordings, mainSection, recording } from '../recordings.js';

const ran = (code: number, stdout = '', stderr = '') => ({ code, stdout, stderr });

describe('what pvesh says', () => {
  it('is bare data, whatever it warned of before', () => {
    expect(pveshContent(ran(0, '[{"a":1}]\n', 'perl: warning: no locale\n'))).toEqual({
      kind: 'content',
      content: [{ a: 1 }],
    });
  });

  it('is nothing at all for null', () => {
    expect(pveshContent(ran(0, '\n'))).toEqual({ kind: 'content', content: null });
  });

  it.each([
    [
      'its last line, after warnings',
      ran(255, '', 'perl: warning\n\nipcc_send_rec[1] failed: Connection refused\n'),
      'ipcc_send_rec[1] failed: Connection refused',
    ],
    ['nothing', ran(2), 'it ended with exit code 2 and no word'],
    [
      'a host without pvesh',
      ran(127, '', 'timeout: failed to run command: No such file or directory\n'),
      'it cannot be run on this host: timeout: failed to run command: No such file or directory; is it a Proxmox VE node?',
    ],
    ['its time-out', ran(124), 'it did not end within its time-out and was ended'],
    [
      'sudo',
      ran(1, '', 'sudo: a password is required\n'),
      'sudo does not let it be run (sudo: a password is required); the manual lists the lines for sudoers',
    ],
  ])('when it fails is told by %s', (_, failed, words) => {
    expect(failureWords(failed)).toBe(words);
    expect(pveshContent(failed)).toEqual({ kind: 'failed', words });
  });

  it('is told apart from what a login shell prints, and from half an answer', () => {
    expect(pveshContent(ran(0, 'Welcome!\n[]'))).toMatchObject({
      words: expect.stringContaining('begins with "Welcome!'),
    });
    expect(pveshContent(ran(0, '[{"a":'))).toMatchObject({ words: expect.stringContaining('breaks off after 6 char') });
  });
});

describe('the list of all configs', () => {
  const text = (versions: Readonly<Record<string, number>>, version = 9) => {
    const ids = Object.entries(versions).map(([vmid, own]) => [vmid, { node: 'pve1', type: 'qemu', version: own }]);
    return JSON.stringify({ version, ids: Object.fromEntries(ids) });
  };
  const list = (...args: Parameters<typeof text>) => {
    const read = vmList(text(...args));
    if (read === undefined) throw new Error('no list');
    return read;
  };
  const mark = vmListMark(list({ 100: 3, 101: 4, 102: 5 }));

  it('names every guest with its place', () => {
    const read = vmList('{\n"version": 7,\n"ids": {\n"105": { "node": "pve2", "type": "lxc", "version": 6 }}\n\n}\n');
    expect(read).toEqual({ version: 7, ids: new Map([[105, { node: 'pve2', kind: 'LXC', version: 6 }]]) });
  });

  it('tells which configs were written since the last look', () => {
    expect(writtenSince(mark, list({ 100: 3, 101: 6, 103: 7 }, 12))).toEqual(new Set([101, 103]));
    expect(writtenSince(mark, list({ 100: 3, 101: 4, 102: 5 }))).toEqual(new Set());
  });

  it('cannot tell without a mark, with the mark of another kind, or when the versions began anew', () => {
    for (const before of [null, '{"tasks":[],"log":[],"again":[]}', 'x'])
      expect(writtenSince(before, list({ 100: 3 }))).toBeUndefined();
    expect(writtenSince(mark, list({ 100: 3 }, 2))).toBeUndefined();
  });

  it('proves nothing when it is no such list', () => {
    for (const other of ['', '{}', '[]', '{"version":1,"ids":[]}', '{"version":1,"ids":{"100":{"node":"a"}}}'])
      expect(vmList(other)).toBeUndefined();
    expect(vmList('{"version":1}')).toEqual({ version: 1, ids: new Map() });
  });
});

describe('many config files in one output', () => {
  it('are told apart by their headers, whatever stands in them', () => {
    const output = [
      '==> /etc/pve/nodes/pve1/qemu-server/101.conf <==',
      '#==> not a header <==',
      'name: a',
      '',
      '==> /etc/pve/nodes/pve2/lxc/102.conf <==',
      'hostname: b',
      '',
      '==> /etc/pve/nodes/pve2/lxc/103.conf <==',
      '',
      '==> /etc/pve/nodes/pve2/openvz/104.conf <==',
      'x: y',
    ].join('\n');
    const files = [...confFiles(`${output}\n`).values()];
    expect(files.map(({ node, kind, vmid }) => `${node} ${kind} ${vmid}`)).toEqual(['pve1 QEMU 101', 'pve2 LXC 102']);
    expect(files[0]?.text).toBe('#==> not a header <==\nname: a\n\n');
  });
});

describe("a guest's config file", () => {
  it('says what the API shows: pending edits over the main section, without what they delete', () => {
    const text = [
      '#A guest%3A its description',
      'cores: 2',
      'memory: 2048',
      'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0',
      'net1: virtio=BC:24:11:00:00:02,bridge=vmbr1',
      'net2: virtio=BC:24:11:00:00:03,bridge=vmbr1',
      'name: web  ',
      '',
      '[PENDING]',
      'cores: 4',
      'delete: net1,!net2',
      'vga: std',
      '',
      '[before-upgrade]',
      'cores: 1',
      'net3: virtio=BC:24:11:00:00:04,bridge=vmbr0',
      '',
      '[special:cloudinit]',
      'name: old',
    ].join('\n');
    expect(confOptions('QEMU', text)).toEqual({
      ...{ cores: '4', memory: '2048', name: 'web', vga: 'std' },
      net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0',
    });
  });

  it("a container's pending edits stand under a name of their own", () => {
    const text = 'hostname: a\nmemory: 512\n\n[pve:pending]\nmemory: 1024\n\n[PENDING]\nmemory: 1\n';
    expect(confOptions('LXC', text)).toEqual({ hostname: 'a', memory: '1024' });
    expect(confConfig('LXC', text)).toMatchObject({ name: 'a', memoryBytes: 1024 * 1024 * 1024, agent: false });
  });
});

describeRecordings('config files of real systems', () => {
  const files = (file: string) => Object.entries(recording(file) as Record<string, string>);
  const kinds = [
    ['pve-qemu-confs/restore-and-snapshot-configs.json', 'QEMU'],
    ['pve-qemu-confs/cfg2cmd-configs.json', 'QEMU'],
    ['pve-lxc-confs/snapshot-input-configs.json', 'LXC'],
  ] as const;

  it.each(kinds)('%s: read whole, one by one as out of one output', (file, kind) => {
    const confs = files(file);
    const folder = kind === 'QEMU' ? 'qemu-server' : 'lxc';
    const path = (index: number) => `/etc/pve/nodes/pve1/${folder}/${100 + index}.conf`;
    const output = confs.map(([, text], index) => `==> ${path(index)} <==\n${text.trimEnd()}\n`).join('\n');
    const read = confFiles(output);
    const withWords = confs.filter(([, text]) => text.trim() !== '');
    expect(read.size).toBe(withWords.length);
    for (const [index, [name, text]] of confs.entries()) {
      if (text.trim() === '') continue;
      expect(confOptions(kind, read.get(100 + index)?.text ?? ''), name).toEqual(confOptions(kind, text));
      expect(confConfig(kind, text), name).toBeDefined();
    }
  });

  it('snapshots change nothing of the main section', () => {
    for (const [file, kind] of kinds)
      for (const [name, text] of files(file))
        if (!/^\[(?:PENDING|pve:pending)\]/im.test(text))
          expect(confOptions(kind, text), name).toEqual(mainSection(text));
  });
});
