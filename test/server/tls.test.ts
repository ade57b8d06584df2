import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { openServer } from './open-server.js';

const run = promisify(execFile);

async function ownCertificate(): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sankofa-tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const name = ['-subj', '/CN=gateway', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', cert]);
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => process.env.REQUIRE_ALL_PARTS === '1',
);

it.skipIf(!hasOpenssl)('speaks https with the certificate it was given (needs openssl)', async () => {
  const tls = await ownCertificate();
  const { url } = await openServer({ tls });
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const [answer] = await once(get(`${url}/healthz`, { ca: tls.cert, agent: false }), 'response');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
  answer.resume();
});
