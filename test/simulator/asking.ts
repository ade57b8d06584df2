import { mkdtemp } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.js';

export interface Asked {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  readonly fingerprint: string;
  /** Until when the certificate that was shown is valid. */
  readonly validTo: string;
  /** The body's `data`. */
  readonly data: unknown;
}

export const NOW = Date.UTC(2026, 5, 1, 12);

export async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'simulated-'));
}

/** A simulator that ends with the test, and whose clock stands unless the test moves it. */
export async function simulate(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const declaredDir = options.declaredDir ?? (await folder());
  const waits = { agentMs: 5, proxyMs: 5, authMs: 5 };
  const simulator = await startSimulator({ now: () => NOW, waits, ...options, declaredDir });
  onTestFinished(() => simulator.stop());
  return simulator;
}

/** Asks the first cluster for a path below `/api2/json`, as its token unless other headers are given. */
export function ask(
  simulator: Simulator,
  path: string,
  more: { readonly headers?: Record<string, string>; readonly method?: string; readonly whole?: boolean } = {},
): Promise<Asked> {
  const [cluster] = simulator.clusters;
  const { url = '', tokenId, tokenSecret } = cluster ?? {};
  const headers = more.headers ?? { authorization: `PVEAPIToken=${tokenId}=${tokenSecret}` };
  const agent = new Agent({ rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    const target = more.whole === true ? `${url}${path}` : `${url}/api2/json${path}`;
    const asking = request(target, { agent, headers, method: more.method ?? 'GET' }, (response) => {
      const { fingerprint256: fingerprint, valid_to: validTo } = (response.socket as TLSSocket).getPeerCertificate();
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, statusMessage: reason = '' } = response;
        resolve({ status, reason, body, fingerprint, validTo, data: dataOf(body) });
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}

function dataOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { data?: unknown }).data;
  } catch {
    return undefined;
  }
}

export type Row = Readonly<Record<string, unknown>>;

export async function rows(simulator: Simulator, path: string): Promise<readonly Row[]> {
  const { data, status } = await ask(simulator, path);
  if (status !== 200 || !Array.isArray(data)) throw new Error(`${path}: ${status} and no list`);
  return data as Row[];
}
