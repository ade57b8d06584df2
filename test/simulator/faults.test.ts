import { describe, expect, it } from 'vitest';
import type { FaultSettings } from '../../src/simulator/faults.js';
import { ask, NOW, rows, simulate } from './asking.js';

async function broken(faults: Partial<FaultSettings>) {
  const simulator = await simulate();
  simulator.faults('sim-main').set(faults);
  return simulator;
}

describe('a fault that is switched on', () => {
  it('node down: listed as offline, its guests unknown, calls to it 595', async () => {
    const simulator = await broken({ nodesDown: ['pve02'] });
    const all = await rows(simulator, '/cluster/resources');
    expect(all.find(({ id }) => id === 'node/pve02')).toMatchObject({ status: 'offline' });
    const guests = all.filter(({ node, vmid }) => node === 'pve02' && vmid !== undefined);
    expect(new Set(guests.map(({ status, name }) => `${status} ${name}`))).toEqual(new Set(['unknown undefined']));
    expect((await rows(simulator, '/cluster/status')).find(({ name }) => name === 'pve02')).toMatchObject({
      online: 0,
    });
    expect(await ask(simulator, '/nodes/pve02/lxc')).toMatchObject({
      status: 595,
      reason: 'Errors during connection establishment, proxy handshake: No route to host',
      body: '',
    });
  });

  it('node hung: listed as online, calls to it end in 595 at last', async () => {
    const simulator = await broken({ nodesHung: ['pve02'] });
    expect((await rows(simulator, '/cluster/status')).find(({ name }) => name === 'pve02')).toMatchObject({
      online: 1,
    });
    expect(await ask(simulator, '/nodes/pve02/lxc')).toMatchObject({ status: 595 });
  });

  it('hidden guests: no list has them, and their VMID is taken all the same', async () => {
    const simulator = await broken({ hidden: [100] });
    const { node } = simulator.estate('sim-main').guest(100);
    const lists = ['/cluster/resources', `/nodes/${node}/lxc`];
    for (const list of lists) expect((await rows(simulator, list)).some(({ vmid }) => vmid === 100)).toBe(false);
    expect(await ask(simulator, `/nodes/${node}/lxc/100/config`)).toMatchObject({ status: 403 });
    expect(await ask(simulator, '/cluster/nextid?vmid=100')).toMatchObject({ status: 400 });
  });

  it('agents dead: 500 after a while', async () => {
    const simulator = await simulate();
    const guest = simulator
      .estate('sim-main')
      .guests()
      .find(({ agent, power }) => agent === 'alive' && power === 'running');
    simulator.faults('sim-main').set({ agentsDead: [guest?.vmid ?? 0] });
    const asked = await ask(simulator, `/nodes/${guest?.node}/qemu/${guest?.vmid}/agent/network-get-interfaces`);
    expect(asked).toMatchObject({ status: 500, reason: 'QEMU guest agent is not running' });
  });

  it('a missing privilege leaves out what it guards without a word', async () => {
    const simulator = await broken({ privilegesMissing: ['Pool.Audit', 'Sys.Audit', 'Sys.Syslog'] });
    simulator.estate('sim-main').stop(100);
    const all = await rows(simulator, '/cluster/resources');
    expect(all.some(({ pool }) => pool !== undefined)).toBe(false);
    expect(Object.keys(all.find(({ type }) => type === 'node') ?? {})).not.toContain('maxcpu');
    expect(await rows(simulator, '/cluster/tasks')).toEqual([]);
    expect(await rows(simulator, '/cluster/log')).toEqual([]);
  });

  it('token revoked: 401', async () => {
    const simulator = await broken({ tokenRevoked: true });
    expect(await ask(simulator, '/version')).toMatchObject({
      status: 401,
      reason: "no such token 'sankofa' for user 'it-read@pve'",
    });
  });

  it('a login page in between: HTML and 200', async () => {
    const simulator = await broken({ loginPage: true });
    const { status, body } = await ask(simulator, '/cluster/resources');
    expect([status, body.startsWith('<!DOCTYPE html>')]).toEqual([200, true]);
  });

  it('everything 500', async () => {
    expect(await ask(await broken({ status500: true }), '/version')).toMatchObject({ status: 500 });
  });

  it('a reset connection, and a body cut short, on the paths that match, as often as was said', async () => {
    const paths = [
      { match: '^/version$', does: 'reset', times: 1 },
      { match: '^/nodes$', does: 'truncate', times: 1 },
    ] as const;
    const simulator = await broken({ paths });
    await expect(ask(simulator, '/version')).rejects.toThrow();
    await expect(ask(simulator, '/nodes')).rejects.toThrow();
    expect(await ask(simulator, '/version')).toMatchObject({ status: 200 });
    expect(await ask(simulator, '/nodes')).toMatchObject({ status: 200 });
  });

  it.each(['expired', 'other'] as const)(
    'certificate %s: another one is shown, and its own again after',
    async (shown) => {
      const simulator = await simulate();
      const own = simulator.clusters[0]?.fingerprint;
      expect((await ask(simulator, '/version')).fingerprint).toBe(own);
      simulator.faults('sim-main').set({ certificate: shown });
      const { fingerprint, validTo } = await ask(simulator, '/version');
      expect([fingerprint === own, Date.parse(validTo) < NOW]).toEqual([false, shown === 'expired']);
      simulator.faults('sim-main').clear();
      expect((await ask(simulator, '/version')).fingerprint).toBe(own);
    },
  );

  it('down: no connection holds, and all is as before when it is over', async () => {
    const simulator = await broken({ down: true });
    await expect(ask(simulator, '/version')).rejects.toThrow();
    simulator.faults('sim-main').clear();
    expect(await ask(simulator, '/version')).toMatchObject({ status: 200 });
  });

  it('hung: a request is taken, and ends only when the fault does', async () => {
    const simulator = await broken({ hung: true });
    const asking = ask(simulator, '/version').then(
      () => 'answered',
      () => 'ended',
    );
    while (!simulator.requests('sim-main').has('/version')) await new Promise((resolve) => setTimeout(resolve, 5));
    simulator.faults('sim-main').clear();
    expect(await asking).toBe('ended');
  });

  it('a status and reason of one’s own', async () => {
    const paths = [{ match: '/lxc$', does: 'error', status: 596, reason: 'unable to verify' }] as const;
    expect(await ask(await broken({ paths }), '/nodes/pve01/lxc')).toMatchObject({
      status: 596,
      reason: 'unable to verify',
    });
  });

  it('without quorum the cluster says so', async () => {
    const simulator = await simulate();
    simulator.estate('sim-main').setQuorum(false);
    expect((await rows(simulator, '/cluster/status')).find(({ type }) => type === 'cluster')).toMatchObject({
      quorate: 0,
    });
  });

  it('leaves no trace when it is taken away', async () => {
    const simulator = await simulate();
    const sorted = async () =>
      (await rows(simulator, '/cluster/resources')).map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();
    const before = await sorted();
    simulator.faults('sim-main').set({ nodesDown: ['pve01'], hidden: [100], privilegesMissing: ['Pool.Audit'] });
    expect(await sorted()).not.toEqual(before);
    simulator.faults('sim-main').clear();
    expect(await sorted()).toEqual(before);
  });
});

it('counts requests by path with query', async () => {
  const simulator = await simulate();
  await ask(simulator, '/nodes/pve01/qemu?full=1');
  await ask(simulator, '/nodes/pve01/qemu?full=1');
  await ask(simulator, '/version');
  expect([...simulator.requests('sim-main')]).toEqual([
    ['/nodes/pve01/qemu?full=1', 2],
    ['/version', 1],
  ]);
});

describe('the back door', () => {
  const call = async (path: string, method: string, body?: unknown, token?: string) => {
    const simulator = await simulate();
    const answer = await fetch(`${simulator.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token ?? simulator.adminToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { simulator, status: answer.status, body: (await answer.json()) as { error?: string } };
  };

  it('opens only with its own token', async () => {
    expect(await call('/_admin/faults', 'GET', undefined, 'another')).toMatchObject({ status: 401 });
  });

  it('switches faults', async () => {
    const { simulator, status } = await call('/_admin/faults', 'PUT', { cluster: 'sim-main', nodesDown: ['pve01'] });
    expect(status).toBe(200);
    expect(simulator.faults('sim-main').now.nodesDown).toEqual(['pve01']);
  });

  it('does a deed', async () => {
    const { simulator, status } = await call('/_admin/deeds', 'POST', { deed: 'rename', vmid: 100, name: 'other' });
    expect([status, simulator.estate('sim-main').guest(100).name]).toEqual([200, 'other']);
  });

  it.each([
    ['PUT', '/_admin/faults', { nodesDwn: [] }, /^nodesDwn: no such fault/],
    ['PUT', '/_admin/faults', { slowMs: -1 }, /^slowMs: -1 does not fit; give a whole number from 0 to 600000$/],
    ['PUT', '/_admin/faults', { nodesDown: 'pve01' }, /^nodesDown: "pve01" does not fit; give a list of names$/],
    ['PUT', '/_admin/faults', { hidden: ['100'] }, /^hidden: \["100"\] does not fit; give a list of VMIDs$/],
    ['PUT', '/_admin/faults', { nodesDown: ['pve01', 'zzz'] }, /^nodesDown: no node zzz here; there are pve01/],
    ['PUT', '/_admin/faults', { nodesHung: ['zzz'] }, /^nodesHung: no node zzz here/],
    ['PUT', '/_admin/faults', { paths: [{ match: '(', does: 'reset' }] }, /regular expression/i],
    ['PUT', '/_admin/faults', { certificate: 'none' }, /^certificate: "none" does not fit/],
    ['PUT', '/_admin/faults', { cluster: 'main' }, /^cluster: no main here/],
    ['POST', '/_admin/deeds', { deed: 'explode' }, /^deed: give one of rename/],
    ['POST', '/_admin/deeds', { deed: 'stop', vmid: 4711 }, /has no guest 4711/],
  ])('refuses %s %s %j, and names what is wrong', async (method, path, body, message) => {
    const told = await call(path, method, body);
    expect(told).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) } });
  });
});
