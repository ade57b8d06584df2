import { describe, expect, it, onTestFinished } from 'vitest';
import type { ObservedRecord, RecordKind, ServiceObservation } from '../../../src/domain/record.js';
import { Secret, type UnifiSettings } from '../../../src/domain/settings.js';
import type { ServiceFaultSettings } from '../../../src/simulator/wire/service-faults.js';
import {
  type NetworkVersion,
  type SimulatedUnifiOptions,
  startSimulatedUnifi,
} from '../../../src/simulator/wire/unifi.js';
import type { KeyOpens } from '../../../src/simulator/wire/unifi-door.js';
import { unifiSource } from '../../../src/sources/unifi/source.js';
import { CERTIFICATE, estates, SEED } from '../../simulator/service-asking.js';
import { keep, observe, pinOf, reason, reasonUnder } from '../../testkit/service-source.js';
import { unifiSettings } from './scripted-unifi.js';

const now = () => Date.now();
// One estate for all: its clock stands where the tests begin.
const AT = Date.now();
const ESTATES = estates({ now: () => AT });

/** A simulated controller over an estate, and the source that reads it by password, or by its key. */
async function campus(
  options: Partial<SimulatedUnifiOptions> = {},
  by: 'password' | 'apiKey' = 'password',
  site?: string,
) {
  const controller = await startSimulatedUnifi({
    ...{ estates: ESTATES, certificate: CERTIFICATE, now, seed: SEED },
    ...options,
  });
  onTestFinished(() => controller.stop());
  const login: UnifiSettings['login'] =
    by === 'apiKey'
      ? { kind: 'apiKey', key: new Secret(controller.apiKey) }
      : { kind: 'password', username: controller.username, password: new Secret(controller.password) };
  const settings = unifiSettings(controller.url, { login, site: site ?? controller.site, tls: pinOf(controller) });
  return { controller, source: keep(unifiSource(settings, { now, limits: { backOffMs: 1, doorMs: 500 } })) };
}

const of = <K extends RecordKind>({ records }: ServiceObservation, kind: K) =>
  records.flatMap((record) => (record.kind === kind ? [record as Extract<ObservedRecord, { kind: K }>] : []));
const facts = (seen: ServiceObservation) =>
  Object.fromEntries(of(seen, 'unifi.client').map(({ key, body }) => [key, body]));
const COMPLETE = ['unifi.device', 'unifi.network', 'unifi.client'];

/** Devices as people see them, but for access points' ports; of clients fewer, and each address the same. */
function expectPoorer(seen: ServiceObservation, people: ServiceObservation): void {
  expect(
    of(seen, 'unifi.device').map(({ key, body }) => [key, body.kind, body.uplink?.mac, body.ports.length]),
  ).toEqual(
    of(people, 'unifi.device').map(({ key, body }) => [
      ...[key, body.kind, body.uplink?.mac],
      body.kind === 'access-point' ? 0 : body.ports.length,
    ]),
  );
  const addresses = (from: ServiceObservation) =>
    new Map(of(from, 'unifi.client').flatMap(({ key, body }) => (body.address === null ? [] : [[key, body.address]])));
  const more = addresses(people);
  expect(addresses(seen).size).toBeGreaterThan(0);
  for (const [mac, address] of addresses(seen)) expect([mac, more.get(mac)]).toEqual([mac, address]);
}

describe('the simulated controller', () => {
  it('says the same of its own, within a console, and to a key that opens the old paths', async () => {
    const console = await observe((await campus()).source);
    const classic = await observe((await campus({ flavour: 'classic', networkVersion: '7.4' })).source);
    const key = await observe((await campus({ networkVersion: '9.5' }, 'apiKey')).source);
    expect([console, classic, key].map(({ complete, notes }) => ({ complete, notes }))).toEqual(
      Array(3).fill({ complete: COMPLETE, notes: [] }),
    );
    expect(facts(classic)).toEqual(facts(console));
    expect(facts(key)).toEqual(facts(console));
    expect(of(classic, 'unifi.network')).toEqual(of(console, 'unifi.network'));
    const switches = (seen: ServiceObservation) =>
      of(seen, 'unifi.device').filter(({ body }) => body.kind === 'switch');
    expect(switches(classic)).toEqual(switches(console));
  });

  it('shows every guest that runs on the port of its node, also those that only the switch has heard', async () => {
    const many = estates({ guests: 300, now: () => AT });
    const { controller, source } = await campus({ estates: many });
    // Without the list of known clients nothing but the switch's own word is left for those.
    controller.faults.set({ paths: [{ match: 'rest/user', does: 'error', status: 403 }] });
    const seen = await observe(source);
    const clients = new Map<string, Extract<ObservedRecord, { kind: 'unifi.client' }>>(
      of(seen, 'unifi.client').map((record) => [record.key, record] as const),
    );
    const ports = new Map<string, string | null>(
      of(seen, 'unifi.device').flatMap(({ body }) =>
        body.ports.map((port) => [`${body.mac} ${port.index}`, port.name] as const),
      ),
    );
    const wrong: string[] = [];
    let quiet = 0;
    for (const estate of many)
      for (const guest of estate.guests()) {
        if (guest.template || guest.power !== 'running' || estate.node(guest.node)?.state === 'offline') continue;
        for (const nic of guest.nics.filter(({ linkDown }) => !linkDown)) {
          const client = clients.get(nic.mac.toLowerCase());
          const at = client && ports.get(`${client.body.switchMac} ${client.body.switchPort}`);
          if (at !== guest.node) wrong.push(`${guest.name} ${nic.mac}: ${at} and not ${guest.node}`);
          if (client?.body.hostname === null && client.body.address === null) quiet += 1;
          if (client?.seenAt == null || client.seenAt > seen.askedAt)
            wrong.push(`${guest.name} seen ${client?.seenAt}`);
        }
      }
    expect(wrong).toEqual([]);
    expect(quiet).toBeGreaterThan(0);
  });

  it.each([
    ['9.0', 'integration', ['unifi.device', 'unifi.client']],
    ['9.5', 'everything', COMPLETE],
    ['10.1', 'everything', COMPLETE],
    ['10.5', 'everything', COMPLETE],
  ] satisfies [NetworkVersion, KeyOpens, string[]][])(
    'opens to a key of %s what that version does: %s',
    async (networkVersion, opens, complete) => {
      // 9.0 tells no internal name of a site.
      const { controller, source } = await campus(
        { networkVersion },
        'apiKey',
        opens === 'everything' ? undefined : 'Default',
      );
      const seen = await observe(source);
      expect(seen.complete).toEqual(complete);
      const poor = 'opens the integration API only';
      expect(seen.notes.some((note) => note.includes(poor))).toBe(opens === 'integration');
      const asked = [...controller.requests().keys()].filter((path) => path.includes('/integration/'));
      expect(asked.length > 0).toBe(opens === 'integration');
      const people = await observe((await campus({ networkVersion })).source);
      if (opens === 'everything') expect(facts(seen)).toEqual(facts(people));
      else expectPoorer(seen, people);
    },
  );

  it.each(['9.5', '10.1', '10.5'] satisfies NetworkVersion[])(
    'of %s that keeps the older paths from a key tells it less, and it says so',
    async (networkVersion) => {
      const { source } = await campus({ networkVersion, keyOpens: 'integration' }, 'apiKey');
      const seen = await observe(source);
      expect(seen.complete).toEqual(networkVersion === '9.5' ? ['unifi.device', 'unifi.client'] : COMPLETE);
      expect(seen.notes[0]).toContain('opens the integration API only');
      expectPoorer(seen, await observe((await campus({ networkVersion })).source));
    },
  );

  it('whose sessions ended is signed in to once more', async () => {
    for (const flavour of ['os', 'classic'] as const) {
      const { controller, source } = await campus({ flavour });
      const before = await observe(source);
      controller.forgetRequests();
      controller.faults.set({ sessionExpired: true });
      expect(facts(await observe(source))).toEqual(facts(before));
      expect(controller.requests().get(flavour === 'os' ? '/api/auth/login' : '/api/login')).toBe(1);
    }
  });

  it('with a fault has one clear reason', async () => {
    const { controller, source } = await campus();
    const { url, username } = controller;
    const under = (fault: Partial<ServiceFaultSettings>) => reasonUnder(controller, fault, source);
    expect(await under({ twoFactor: true })).toContain(`${url} asks ${username} for a second factor`);
    expect(await under({ keyRevoked: true })).toContain(`${url} refuses the login of ${username}: 403`);
    expect(await under({ loginPage: true })).toContain(`${url} answers, but not as UniFi does: an HTML page`);
    expect(await under({ status500: true })).toContain(`${url} fails at /: 500 api.err.ServerError; `);
    expect(await under({ paths: [{ match: 'stat/sta', does: 'error', status: 503 }] })).toContain(
      `${url}: 503 Service Unavailable, from a proxy in front of it or from itself`,
    );
    expect(await under({ paths: [{ match: 'rest/user', does: 'truncate' }] })).toContain(`${url}: `);
    expect(await under({ certificate: 'other' })).toContain('is not pinned; nothing was sent');
    expect(await under({ down: true })).toContain(`${url}: `);
    expect(await reason(source)).toBe('observed');
  });

  it('is left alone when it takes no more logins', async () => {
    const { controller, source } = await campus();
    controller.faults.set({ keyRevoked: true });
    for (let turn = 0; turn < 5; turn++) expect(await reason(source)).toContain('refuses the login');
    expect(await reason(source)).toContain('takes no more logins for now: 429 AUTHENTICATION_FAILED_LIMIT_REACHED');
    controller.forgetRequests();
    expect(await reason(source)).toContain('takes no more logins for now');
    expect(controller.requests().size).toBe(0);
  });

  it('names its sites to whoever asks for another', async () => {
    const { source } = await campus({}, 'password', 'main');
    expect(await reason(source)).toContain('there are default (Default), k3x9d2ab (Branch)');
  });

  it('refuses a key that is revoked, and one where there are none', async () => {
    const { controller, source } = await campus({ networkVersion: '9.0' }, 'apiKey', 'Default');
    controller.faults.set({ keyRevoked: true });
    expect(await reason(source)).toContain(`${controller.url} refuses the API key: 401`);
    expect(await reason((await campus({ networkVersion: '8.6' }, 'apiKey')).source)).toContain(
      'has no integration API',
    );
    expect(await reason((await campus({ flavour: 'classic' }, 'apiKey')).source)).toContain('takes no API key');
  });
});
