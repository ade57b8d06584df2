import { describe, expect, it } from 'vitest';
import type { Guest, PveVersion } from '../../src/simulator/guest.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { ask, simulate } from './asking.js';

const VERSIONS: readonly PveVersion[] = ['7.4', '8.4', '9.1'];

function bodyOf(version: PveVersion, message: string, errors?: object): object {
  return { data: null, ...(errors && { errors }), ...(version === '7.4' ? {} : { message: `${message}\n` }) };
}

function aGuest(simulator: Simulator, fits: (guest: Guest) => boolean): Guest {
  const found = simulator.estate('sim-main').guests().find(fits);
  if (found === undefined) throw new Error('the simulated estate has no such guest');
  return found;
}

describe.each(VERSIONS)('the errors of %s', (version) => {
  const wrong = 'Parameter verification failed.';
  const noSchema = 'property is not defined in schema and the schema does not allow additional properties';
  const cases: readonly (readonly [path: string, status: number, reason: string, errors: object | undefined])[] = [
    ['/cluster/resources?verbose=1', 400, wrong, { verbose: noSchema }],
    ['/cluster/resources?type=pool', 400, wrong, { type: expect.stringContaining("'pool'") }],
    ['/cluster/nextid?vmid=100', 400, wrong, { vmid: 'VM 100 already exists' }],
    ['/cluster/nextid?vmid=7', 400, wrong, { vmid: 'value must have a minimum value of 100' }],
    ['/nodes/pve01/qemu?full=yes', 400, wrong, { full: "type check ('boolean') failed - got 'yes'" }],
    ['/cluster/firewall', 501, "Method 'GET /cluster/firewall' not implemented", undefined],
    [
      '/nodes/pve01/qemu/4711/config',
      500,
      "Configuration file 'nodes/pve01/qemu-server/4711.conf' does not exist",
      undefined,
    ],
  ];

  it.each(cases)('GET %s is %i %s', async (path, status, reason, errors) => {
    const asked = await ask(await simulate({ version }), path);
    expect(asked).toMatchObject({ status, reason });
    expect(JSON.parse(asked.body)).toEqual(bodyOf(version, reason, errors));
  });

  it('names the privilege that is missing', async () => {
    const simulator = await simulate({ version });
    const guest = aGuest(simulator, ({ kind }) => kind === 'qemu');
    simulator.faults('sim-main').set({ forbidden: [guest.vmid], privilegesMissing: ['Sys.Audit'] });
    const asked = await ask(simulator, `/nodes/${guest.node}/qemu/${guest.vmid}/config`);
    const reason = `Permission check failed (/vms/${guest.vmid}, VM.Audit)`;
    expect(asked).toMatchObject({ status: 403, reason });
    expect(JSON.parse(asked.body)).toEqual(bodyOf(version, reason));
    expect(await ask(simulator, '/cluster/status')).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/, Sys.Audit)',
    });
  });

  it('asks for another privilege for agents before 9 than since', async () => {
    const simulator = await simulate({ version });
    const guest = aGuest(simulator, ({ agent, power }) => agent === 'alive' && power === 'running');
    const all = version === '9.1' ? ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'] : ['VM.Monitor'];
    simulator.faults('sim-main').set({ privilegesMissing: all });
    expect(await ask(simulator, agentPath(guest))).toMatchObject({
      status: 403,
      reason: `Permission check failed (/vms/${guest.vmid}, ${all.join('|')})`,
    });
  });

  it('tells apart an agent that is not configured, not running, and of a machine that is off', async () => {
    const simulator = await simulate({ version });
    const estate = simulator.estate('sim-main');
    const guest = aGuest(simulator, ({ agent, power }) => agent === 'alive' && power === 'running');
    const reason = async () => (await ask(simulator, agentPath(guest))).reason;
    expect(await reason()).toBe('OK');
    estate.setAgent(guest.vmid, 'dead');
    expect(await reason()).toBe('QEMU guest agent is not running');
    estate.stop(guest.vmid);
    expect(await reason()).toBe(`VM ${guest.vmid} is not running`);
    estate.setAgent(guest.vmid, 'none');
    expect(await reason()).toBe('No QEMU guest agent configured');
  });

  it('answers 200 with an error inside where the agent itself refuses', async () => {
    const simulator = await simulate({ version });
    const guest = aGuest(simulator, ({ agent, power }) => agent === 'alive' && power === 'running');
    simulator.estate('sim-main').setAgent(guest.vmid, 'broken');
    const { status, data } = await ask(simulator, agentPath(guest));
    expect(status).toBe(200);
    expect(data).toEqual({ result: { error: { class: 'CommandNotFound', desc: expect.any(String) } } });
  });
});

describe('who is not let in', () => {
  const refused: readonly (readonly [string, Record<string, string>, string])[] = [
    ['no credentials', {}, 'No ticket'],
    [
      'another token',
      { authorization: 'PVEAPIToken=it-read@pve!other=1' },
      "no such token 'other' for user 'it-read@pve'",
    ],
    ['a wrong secret', { authorization: 'PVEAPIToken=it-read@pve!sankofa=1' }, 'invalid token value!'],
  ];

  it.each(refused)('%s: 401 with an empty body', async (_, headers, reason) => {
    expect(await ask(await simulate(), '/version', { headers })).toMatchObject({ status: 401, reason, body: '' });
  });

  it('takes a space after PVEAPIToken, and an escaped value', async () => {
    const simulator = await simulate();
    const [cluster] = simulator.clusters;
    const authorization = `PVEAPIToken ${cluster?.tokenId.replace('@', '%40')}=${cluster?.tokenSecret}`;
    expect(await ask(simulator, '/version', { headers: { authorization } })).toMatchObject({ status: 200 });
  });

  it('writes nothing for anybody', async () => {
    const asked = await ask(await simulate(), '/nodes/pve01/qemu', { method: 'POST' });
    expect(asked).toMatchObject({ status: 501, reason: "Method 'POST /nodes/pve01/qemu' not implemented" });
  });

  it('is recognised by the fingerprint that it tells', async () => {
    const simulator = await simulate();
    const { fingerprint } = await ask(simulator, '/version');
    expect(simulator.clusters[0]?.fingerprint).toBe(fingerprint);
  });
});

function agentPath({ node, vmid }: Guest): string {
  return `/nodes/${node}/qemu/${vmid}/agent/network-get-interfaces`;
}
