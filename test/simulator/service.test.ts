import { describe, expect, it, onTestFinished } from 'vitest';
import { html } from '../../src/simulator/wire/answers.js';
import { json, type Service, startService } from '../../src/simulator/wire/service.js';
import { readServiceFaults, ServiceFaults } from '../../src/simulator/wire/service-faults.js';
import { askService, CERTIFICATE } from './service-asking.js';

/** A service that says what it was asked. */
async function echo(faults = new ServiceFaults()): Promise<Service> {
  const service = await startService({
    ...{ certificate: CERTIFICATE, port: 0, faults, headers: { 'content-type': 'application/json', server: 'echo' } },
    broken: (status, reason = 'broken') => json(status, { reason }),
    loginPage: () => html(200, 'Sign in'),
    answer: async ({ method, path, query, body }) => {
      if (path === '/throws') throw new Error('no such\nthing');
      return json(200, { method, path, query: [...query], body });
    },
  });
  onTestFinished(() => service.stop());
  return service;
}

describe('a simulated service', () => {
  it('hands on what it was asked, and counts it by path with query', async () => {
    const { url, requests, forgetRequests, fingerprint } = await echo();
    const told = await askService(`${url}/a?b=1`, { body: { c: 2 } });
    expect([told.json, told.headers.server]).toEqual([
      { method: 'POST', path: '/a', query: [['b', '1']], body: '{"c":2}' },
      'echo',
    ]);
    expect([...requests()]).toEqual([['/a?b=1', 1]]);
    forgetRequests();
    expect([[...requests()], fingerprint]).toEqual([[], CERTIFICATE.fingerprint]);
  });

  it('says of its own failure what it was', async () => {
    expect(await askService(`${(await echo()).url}/throws`)).toMatchObject({
      status: 500,
      json: { reason: 'no such thing' },
    });
  });

  it('refuses a port that is taken', async () => {
    const taken = Number(new URL((await echo()).url).port);
    const again = startService({
      ...{ certificate: CERTIFICATE, port: taken, faults: new ServiceFaults(), headers: {} },
      broken: () => json(500, {}),
      loginPage: () => html(200, ''),
      answer: () => json(200, {}),
    });
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('ends what hangs when it stops', async () => {
    const faults = new ServiceFaults();
    faults.set({ paths: [{ match: '/a', does: 'hang' }] });
    const service = await echo(faults);
    const asked = askService(`${service.url}/a`).then(
      () => 'answered',
      () => 'ended',
    );
    while (!service.requests().has('/a')) await new Promise((resolve) => setTimeout(resolve, 5));
    await service.stop();
    expect(await asked).toBe('ended');
  });

  it.each([
    [{ status500: true }, { status: 500, json: { reason: 'broken' } }],
    [{ loginPage: true }, { status: 200, json: undefined }],
    [
      { paths: [{ match: '^/a$', does: 'error', status: 503, reason: 'starting' }] },
      { status: 503, json: { reason: 'starting' } },
    ],
    [{ paths: [{ match: '^/b$', does: 'reset' }] }, { status: 200 }],
    [{ slowMs: 5 }, { status: 200 }],
  ] as const)('with %j', async (change, told) => {
    const faults = new ServiceFaults();
    faults.set(change);
    expect(await askService(`${(await echo(faults)).url}/a`)).toMatchObject(told);
  });

  it.each(['reset', 'truncate'] as const)('breaks the connection where it is to: %s', async (does) => {
    const faults = new ServiceFaults();
    faults.set({ paths: [{ match: '/a', does }] });
    await expect(askService(`${(await echo(faults)).url}/a`)).rejects.toThrow();
  });
});

describe('faults that somebody sends', () => {
  it('are read as they are', () => {
    const sent = {
      sessionExpired: true,
      twoFactor: false,
      slowMs: 20,
      paths: [{ match: 'x', does: 'hang', times: 2 }],
    };
    expect(readServiceFaults(sent)).toEqual(sent);
  });

  it.each([
    [{ nodesDown: ['pve01'] }, /^nodesDown: no such fault; there are .*keyRevoked/],
    [{ keyRevoked: 1 }, /^keyRevoked: 1 does not fit/],
    [{ slowMs: 1e9 }, /^slowMs: 1000000000 does not fit/],
    [{ paths: [{ match: 'x', does: 'explode' }] }, /^paths: .* does not fit/],
    [{ constructor: 1 }, /^constructor: no such fault/],
    [[], /^give an object of faults/],
  ])('%j are refused by name', (sent, message) => {
    expect(() => readServiceFaults(sent)).toThrow(message);
  });
});
