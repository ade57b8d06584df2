import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { selfSigned } from '../../src/simulator/certificate.js';
import type { Estate } from '../../src/simulator/estate.js';
import { populate } from '../../src/simulator/populate.js';
import { NOW } from './asking.js';

export const CERTIFICATE = selfSigned();

export interface Told {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Asks a simulated service; rejects where the connection breaks before all was told. */
export function askService(url: string, { method, headers = {}, body }: Asking = {}): Promise<Told> {
  const agent = new Agent({ rejectUnauthorized: false });
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    ...{ agent, method: method ?? (body === undefined ? 'GET' : 'POST') },
    headers: { ...headers, ...(sent === undefined ? {} : { 'content-type': 'application/json' }) },
  };
  return new Promise((resolve, reject) => {
    const asking = request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, statusMessage: reason = '' } = response;
        resolve({ status, reason, headers: response.headers, body: text, json: parsed(text) });
      });
    });
    asking.on('error', reject);
    asking.end(sent);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const SEED = 20_260;

/** An estate whose clock stands, unless the test gives another. */
export function estates(size: { nodes?: number; guests?: number; now?: () => number } = {}): readonly Estate[] {
  const { nodes = 5, guests = 60, now = () => NOW } = size;
  return populate({ seed: SEED, nodes, guests, clusters: 1, version: '9.1', now });
}
