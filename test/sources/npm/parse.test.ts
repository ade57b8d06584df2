import { describe, expect, it } from 'vitest';
import { type NpmKind, npmInstant, npmRecord } from '../../../src/sources/npm/parse.js';
import { plainText, understood } from '../../../src/sources/understood.js';
import { describeRecordings, recording } from '../recordings.js';
import { proxyRow } from './scripted-npm.js';

interface Operation {
  readonly responses: Record<string, { content: Record<string, { examples: { default: { value: unknown } } }> }>;
}

const example = (path: string): readonly unknown[] => {
  const operations = recording('npm-openapi/npm-2.15.1-resolved-operations.json') as Record<string, Operation>;
  const value = operations[path]?.responses['200']?.content['application/json']?.examples.default.value;
  return Array.isArray(value) ? value : [value];
};
const made = (kind: NpmKind, rows: readonly unknown[]) => understood(rows, 'rows', (row) => npmRecord(kind, row));
const host = (more: object) => made('npm.proxy_host', [proxyRow(1, more)]);
const body = (more: object) => host(more).rows[0]?.body;

describeRecordings('the examples of Nginx Proxy Manager 2.15.1', () => {
  it('have a proxy host with its target and certificate', () => {
    const [row] = made('npm.proxy_host', example('paths/nginx/proxy-hosts/get.json')).rows;
    expect(row).toEqual({
      ...{ kind: 'npm.proxy_host', key: '1', seenAt: null },
      body: {
        ...{ id: 1, domainNames: ['test.jc21com'] },
        target: { scheme: 'http', host: '127.0.0.1', address: '127.0.0.1', port: 8081 },
        ...{ locations: [], enabled: true, certificateId: 1, sslForced: false, error: null },
      },
    });
  });

  it('have one that stands alone and has no certificate', () => {
    const [row] = made('npm.proxy_host', example('paths/nginx/proxy-hosts/hostID/get.json')).rows;
    expect(row?.body).toMatchObject({ id: 3, domainNames: ['test.example.com'], certificateId: null });
  });

  it('have a redirection', () => {
    const [row] = made('npm.redirection', example('paths/nginx/redirection-hosts/get.json')).rows;
    expect(row).toEqual({
      ...{ kind: 'npm.redirection', key: '1', seenAt: null },
      body: {
        ...{ id: 1, domainNames: ['test.example.com'], forwardDomain: 'something-else.com' },
        ...{ httpCode: 301, enabled: true, certificateId: null },
      },
    });
  });

  it('have a stream to a name', () => {
    const [row] = made('npm.stream', example('paths/nginx/streams/get.json')).rows;
    expect(row).toEqual({
      ...{ kind: 'npm.stream', key: '1', seenAt: null },
      body: {
        ...{ id: 1, incomingPort: 9090, tcp: true, udp: false, enabled: true },
        target: { scheme: null, host: 'router.internal', address: null, port: 80 },
      },
    });
  });

  it('have a certificate with its end', () => {
    const [row] = made('npm.certificate', example('paths/nginx/certificates/get.json')).rows;
    expect(row).toEqual({
      ...{ kind: 'npm.certificate', key: '4', seenAt: null },
      body: {
        ...{ id: 4, provider: 'letsencrypt', name: 'test.example.com', domainNames: ['test.example.com'] },
        notAfter: Date.UTC(2025, 0, 7, 4, 34, 18),
      },
    });
  });
});

describe('a proxy host', () => {
  it('says the same in 2.9 as in 2.15: flags as 0 and 1, no locations, no certificate', () => {
    const old = { enabled: 1, ssl_forced: 0, locations: null, meta: {}, hsts_enabled: 0 };
    expect(body(old)).toEqual(body({}));
    expect(body({ enabled: 0, ssl_forced: 1 })).toMatchObject({ enabled: false, sslForced: true });
  });

  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['[fd00::1]', 'fd00::1'],
    ['FD00::1', 'fd00::1'],
    ['10.0.0.5/app', '10.0.0.5'],
    ['nas.lan', null],
    ['10.0.0.0.5', null],
  ])('to %s leads to the address %s', (forward_host, address) => {
    expect(body({ forward_host })).toMatchObject({ target: { host: forward_host, address } });
  });

  it('keeps where its paths go', () => {
    const locations = [{ path: '/api', forward_scheme: 'https', forward_host: '10.0.0.6/v1', forward_port: '8443' }];
    expect(body({ locations })).toMatchObject({
      locations: [{ path: '/api', target: { scheme: 'https', host: '10.0.0.6/v1', address: '10.0.0.6', port: 8443 } }],
    });
  });

  it('says why nginx did not take it, but not what was so before it was switched off', () => {
    const meta = { nginx_online: 0, nginx_err: 'nginx: [emerg] host not found\nin upstream "x"' };
    expect(body({ meta })).toMatchObject({ error: 'nginx: [emerg] host not found in upstream "x"' });
    expect(body({ meta: { nginx_online: false, nginx_err: null } })).toMatchObject({
      error: 'nginx did not take its config',
    });
    expect(body({ meta, enabled: false })).toMatchObject({ error: null });
  });

  it('that makes no sense is a note beside the others', () => {
    const { rows, isWhole, notes } = made('npm.proxy_host', [
      proxyRow(1),
      proxyRow(2, { forward_port: 70_000 }),
      proxyRow(3, { locations: [{ path: '/x', forward_host: '', forward_port: 80 }] }),
      { domain_names: [] },
      'text',
    ]);
    expect(rows.map(({ key }) => key)).toEqual(['1']);
    expect(isWhole).toBe(false);
    expect(notes).toEqual([
      '4 of 5 rows could not be understood, for one: id 2: the port "70000" that it sends to is none; the others are kept',
    ]);
  });
});

describe('an end of a certificate', () => {
  it.each([
    ['2024-07-11 13:16:34', Date.UTC(2024, 6, 11, 13, 16, 34)],
    ['2025-10-28T01:10:26.000Z', Date.UTC(2025, 9, 28, 1, 10, 26)],
    ['2025-10-28T01:10:26+02:00', Date.UTC(2025, 9, 27, 23, 10, 26)],
    ['0000-00-00 00:00:00', null],
    ['soon', null],
    ['', null],
    [null, null],
  ])('%s is read in UTC', (text, at) => {
    expect(npmInstant(text)).toBe(at);
  });
});

describe('a text from elsewhere', () => {
  it('loses what no database takes, and its end where it is endless', () => {
    expect(plainText('a\u0000b\u001b[31m')).toBe('a b [31m');
    expect(plainText(`${'x'.repeat(499)}😀`)).toBe('x'.repeat(499));
    expect([plainText(' \n'), plainText(null), plainText({})]).toEqual([null, null, null]);
  });
});
