import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServiceObservation } from '../../../src/domain/record.js';
import { Secret } from '../../../src/domain/settings.js';
import { type SimulatedNpmOptions, startSimulatedNpm } from '../../../src/simulator/wire/npm.js';
import type { NpmVersion } from '../../../src/simulator/wire/npm-rows.js';
import type { ServiceFaultSettings } from '../../../src/simulator/wire/service-faults.js';
import { npmSource } from '../../../src/sources/npm/source.js';
import { CERTIFICATE, estates, SEED } from '../../simulator/service-asking.js';
import { keep, observe, pinOf, reason, reasonUnder } from '../../testkit/service-source.js';
import { npmSettings } from './scripted-npm.js';

const now = () => Date.now();
const AT = Date.now();

/** A simulated proxy manager in front of an estate, and the source that reads it. */
async function estate(options: Partial<SimulatedNpmOptions> = {}) {
  const manager = await startSimulatedNpm({
    ...{ estates: estates(), certificate: CERTIFICATE, now, seed: SEED },
    ...options,
  });
  onTestFinished(() => manager.stop());
  const { url, identity, secret } = manager;
  const settings = npmSettings(url, { identity, secret: new Secret(secret), tls: pinOf(manager) });
  const source = keep(npmSource(settings, { now, limits: { backOffMs: 1, doorMs: 500 } }));
  return { manager, source };
}

const logins = ({ requests }: { requests(): ReadonlyMap<string, number> }) => requests().get('/api/tokens') ?? 0;

describe('the simulated proxy manager', () => {
  it('says the same in every version', async () => {
    const fixed = { now: () => AT };
    const newest = await observe((await estate(fixed)).source);
    expect(new Set(newest.records.map(({ kind }) => kind)).size).toBe(4);
    expect(newest.notes).toEqual([]);
    for (const version of ['2.9', '2.12', '2.13', '2.14'] satisfies NpmVersion[])
      for (const database of ['sqlite', 'mysql'] as const) {
        const { records, complete } = await observe((await estate({ ...fixed, version, database })).source);
        expect({ version, database, complete }).toEqual({ version, database, complete: newest.complete });
        expect(inSeconds(records)).toEqual(inSeconds(newest.records));
      }
  });

  it('sends to addresses of the estate and to names', async () => {
    const { records } = await observe((await estate()).source);
    const hosts = records.flatMap(({ kind, body }) => (kind === 'npm.proxy_host' ? [body] : []));
    const carried = new Set(
      estates().flatMap((each) => each.guests().flatMap(({ nics }) => nics.map(({ v4 }) => v4?.address))),
    );
    expect(hosts.filter(({ target }) => target.address !== null && carried.has(target.address)).length).toBeGreaterThan(
      hosts.length / 2,
    );
  });

  it('whose sessions ended is signed in to once more', async () => {
    for (const version of ['2.12', '2.15'] satisfies NpmVersion[]) {
      const { manager, source } = await estate({ version });
      const before = await observe(source);
      manager.forgetRequests();
      manager.faults.set({ sessionExpired: true });
      expect((await observe(source)).records).toEqual(before.records);
      expect(logins(manager)).toBe(1);
    }
  });

  it('with a fault has one clear reason', async () => {
    const { manager, source } = await estate();
    const { url, identity } = manager;
    const under = (fault: Partial<ServiceFaultSettings>) => reasonUnder(manager, fault, source);
    expect(await under({ twoFactor: true })).toContain(`${url} asks ${identity} for a second factor`);
    expect(await under({ keyRevoked: true })).toContain(`${url} refuses the login of ${identity}: 400`);
    expect(await under({ loginPage: true })).toContain("is not Nginx Proxy Manager's API: an HTML page");
    expect(await under({ status500: true })).toContain(`${url} fails at the login: 500 Internal Error`);
    expect(await under({ down: true })).toContain(`${url}: `);
    expect(await under({ certificate: 'other' })).toContain('is not pinned; nothing was sent. If');
    expect(await under({ certificate: 'expired' })).toContain('is not pinned; nothing was sent. It has also expired (');
    expect(await reason(source)).toBe('observed');
  });

  it('holds back what its user may not see', async () => {
    const forbidden = await observe((await estate({ forbidden: ['certificates'] })).source);
    expect(forbidden.complete).not.toContain('npm.certificate');
    expect(forbidden.notes).toEqual([expect.stringContaining('may not see the certificates')]);
    expect(await observe((await estate({ visibility: 'user' })).source)).toMatchObject({ complete: [], records: [] });
  });
});

/** SQLite keeps times without their fractions. */
function inSeconds(records: ServiceObservation['records']) {
  return records.map((record) =>
    record.kind === 'npm.certificate'
      ? { ...record, body: { ...record.body, notAfter: Math.floor((record.body.notAfter ?? 0) / 1000) } }
      : record,
  );
}
