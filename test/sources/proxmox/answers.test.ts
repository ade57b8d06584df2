import { describe, expect, it } from 'vitest';
import { activitySince } from '../../../src/sources/proxmox/parse/activity.js';
import { readAnswer } from '../../../src/sources/proxmox/parse/answer.js';
import { vmidFree } from '../../../src/sources/proxmox/parse/vmid.js';
import { wireObject, wireText } from '../../../src/sources/wire-values.js';
import { bodyData, describeRecordings, exchanges, recordedFiles, recording } from '../recordings.js';

const json = 'application/json;charset=UTF-8';
const answer = (status: number, reason: string, body: string, contentType = json) =>
  readAnswer({ status, reason, contentType, body });

describe('an answer', () => {
  it('says its error in the body, before PVE 8.4 in the reason phrase alone', () => {
    const words = 'Permission check failed (/vms/101, VM.Audit)';
    const expected = { kind: 'refused', status: 403, words: `403 ${words}` };
    expect(answer(403, words, '{"data":null}')).toMatchObject(expected);
    expect(answer(403, 'Forbidden', `{"data":null,"message":"${words}\\n"}`)).toMatchObject(expected);
    expect(answer(401, "no such token 'x' for user 'y'", '', '')).toMatchObject({
      words: "401 no such token 'x' for user 'y'",
    });
    expect(answer(595, 'No route to host', '')).toMatchObject({ kind: 'refused', words: '595 No route to host' });
  });

  it('names the parameters it complains of', () => {
    const body = '{"errors":{"vmid":"VM 200 already exists"},"data":null}';
    expect(answer(400, 'Parameter verification failed.', body)).toEqual({
      kind: 'refused',
      status: 400,
      words: '400 Parameter verification failed.; vmid: VM 200 already exists',
      vmidError: 'VM 200 already exists',
    });
  });

  it('of something else is foreign, and one that breaks off is not whole', () => {
    const words = (...args: Parameters<typeof answer>) => {
      const read = answer(...args);
      return read.kind === 'foreign' ? read.words : read;
    };
    expect(words(200, 'OK', '<!DOCTYPE html><html>', 'text/html')).toMatch(/not a Proxmox API: an HTML page/);
    expect(words(200, 'OK', '{"ok":true}')).toMatch(/not a Proxmox API: JSON without "data"/);
    expect(words(200, 'OK', '[]')).toMatch(/not a Proxmox API/);
    expect(words(200, 'OK', '{"data":[{"vmid":1')).toBe(
      'the answer breaks off after 18 characters: it is not whole JSON; is it restarting, does something in between cut it short?',
    );
    expect(words(404, 'Not Found', '')).toMatch(/not a Proxmox API: 404 Not Found/);
    expect(words(301, 'Moved Permanently', '')).toMatch(/redirects/);
  });

  it('proves that a VMID is free only by naming it', () => {
    const taken = answer(
      400,
      'Parameter verification failed.',
      '{"errors":{"vmid":"VM 200 already exists"},"data":null}',
    );
    expect(vmidFree(200, taken)).toBe(false);
    expect(vmidFree(200, answer(200, 'OK', '{"data":"200"}'))).toBe(true);
    expect(vmidFree(200, answer(200, 'OK', '{"data":200}'))).toBe(true);
    expect(vmidFree(200, answer(200, 'OK', '{"data":"101"}'))).toBeUndefined();
    expect(
      vmidFree(200, answer(400, 'bad', '{"errors":{"vmid":"value must have a minimum value of 100"}}')),
    ).toBeUndefined();
    expect(vmidFree(200, answer(500, 'VM 200 already exists', ''))).toBeUndefined();
  });
});

describe('tasks and log', () => {
  const upid = (type: string, vmid: string) => `UPID:pve1:0001:0002:65000000:${type}:${vmid}:root@pam:`;
  const task = (type: string, vmid: string, more: object = {}) => ({ upid: upid(type, vmid), type, id: vmid, ...more });
  const line = (uid: number, msg: string) => ({ uid, node: 'pve1', pid: 1, time: 1700000000, msg });

  it('name the guests that were touched since the last look', () => {
    const first = activitySince(null, [task('qmstart', '101')], [line(1, 'update VM 102: -name web')]);
    expect([...first.touched].sort()).toEqual([101, 102]);
    const same = activitySince(first.mark, [task('qmstart', '101')], [line(1, 'update VM 102: -name web')]);
    expect([...same.touched]).toEqual([102]);
    const next = activitySince(
      same.mark,
      [task('qmstart', '101')],
      [line(2, 'update CT 103: resize rootfs'), line(1, 'update VM 102: -name web')],
    );
    expect([...next.touched]).toEqual([103]);
  });

  it('name an edited guest at the next look again: the line is written before the edit is done', () => {
    const log = [line(1, 'update VM 102: -name web')];
    const looks = [activitySince(null, [], log)];
    for (let i = 0; i < 3; i++) looks.push(activitySince(looks.at(-1)?.mark ?? null, [], log));
    expect(looks.map(({ touched }) => [...touched])).toEqual([[102], [102], [], []]);
  });

  it('count a task again when it has ended', () => {
    const begun = activitySince(null, [task('qmigrate', '101')], []);
    const ended = activitySince(begun.mark, [task('qmigrate', '101', { endtime: 1, status: 'OK' })], []);
    expect([...ended.touched]).toEqual([101]);
  });

  it('know tasks by the log where another user’s tasks are not shown', () => {
    expect([...activitySince(null, [], [line(1, `starting task ${upid('vzcreate', '110')}`)]).touched]).toEqual([110]);
  });

  it('are quiet about consoles, nodes and what has no guest', () => {
    const tasks = [task('vncproxy', '101'), task('aptupdate', ''), task('vzdump', '')];
    const log = [line(1, `end task ${upid('spiceproxy', '101')} OK`), line(2, 'successful auth for user root@pam')];
    expect([...activitySince(null, tasks, log).touched]).toEqual([]);
  });

  it('keep the half of the mark that could not be read', () => {
    const first = activitySince(null, [task('qmstart', '101')], [line(1, 'update VM 102: x')]);
    const blind = activitySince(first.mark, undefined, undefined);
    expect([...blind.touched]).toEqual([102]);
    const seeing = activitySince(blind.mark, [task('qmstart', '101')], [line(1, 'update VM 102: x')]);
    expect([...seeing.touched]).toEqual([]);
  });

  it('read everything as new after a mark that nobody can read', () => {
    expect([...activitySince('{"tasks"', [task('qmstart', '101')], []).touched]).toEqual([101]);
  });
});

describeRecordings('recorded answers', () => {
  it.each(['pve7x', 'pve8x', 'pve9x'])('proves a VMID free or taken on %s', (version) => {
    const proofs = exchanges(`go-proxmox/${version}-cluster.json`, '/cluster/nextid').filter(
      ({ params }) => params?.vmid,
    );
    const read = proofs.map(({ params, status, body }) => {
      const vmid = Number(params?.vmid);
      return [vmid, vmidFree(vmid, answer(status, '', JSON.stringify(body)))];
    });
    expect(read).toEqual([
      [100, true],
      [200, false],
    ]);
  });

  it('reads every recorded answer of go-proxmox as content or as a refusal, never as another product', () => {
    const files = recordedFiles('go-proxmox');
    expect(files.length).toBe(23);
    for (const file of files) {
      for (const { path, status, body } of exchanges(file, '')) {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        if (!text?.startsWith('{"')) continue;
        const expected =
          status === 200 ? { kind: 'content', content: bodyData({ path, status, body, method: 'GET' }) } : { status };
        expect(answer(status, '', text), `${file} ${path}`).toMatchObject(expected);
      }
    }
  });

  it.each([
    ['psproxmoxve/pve8_version.json', '8.3-2'],
    ['psproxmoxve/pve9_version.json', '9.1-1'],
  ])('reads the version of %s', (file, version) => {
    const read = answer(200, 'OK', JSON.stringify(recording(file)));
    expect(read.kind === 'content' && wireText(wireObject(read.content)?.version)).toBe(version);
  });

  it('reads a recorded complaint about a parameter', () => {
    const read = answer(
      400,
      'Parameter verification failed.',
      JSON.stringify(recording('psproxmoxve/pve_api_error.json')),
    );
    expect(read).toMatchObject({ kind: 'refused', vmidError: 'property is missing and it is not optional' });
  });

  it('finds no guest in the log lines of PVE 9 that name none', () => {
    const log = bodyData(exchanges('go-proxmox/pve9x-cluster.json', '/cluster/log')[0]);
    expect([...activitySince(null, [], log).touched]).toEqual([]);
  });
});

describeRecordings("Proxmox' own schema", () => {
  const schemas = ['7.4', '8.4', '9.1'].map((version) => `pve-apidata/pve-${version}-schema.json`);

  it.each(schemas)('%s has every call that is made, or it is one that may be missing', (file) => {
    const text = JSON.stringify(recording(file));
    const calls = [
      '/cluster/resources',
      '/cluster/status',
      '/cluster/tasks',
      '/nodes/{node}/qemu',
      '/nodes/{node}/lxc/{vmid}/config',
      '/nodes/{node}/qemu/{vmid}/config',
    ];
    expect(calls.filter((path) => !text.includes(`"${path}"`))).toEqual([]);
    expect(text.includes('"/nodes/{node}/lxc/{vmid}/interfaces"')).toBe(!file.includes('7.4'));
  });
});
