import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Certificate } from '../certificate.js';
import type { Estate } from '../estate.js';
import type { Faults, PathFault } from '../faults.js';
import type { Random } from '../random.js';
import { type Answer, failure, html, notImplemented, unauthorised } from './answers.js';
import { Resources } from './resources.js';
import { answer, type Waits } from './routes.js';
import { Sight } from './sight.js';
import { refusal, type Token } from './token.js';

export interface ProxmoxApiNeeds {
  readonly estate: Estate;
  readonly faults: Faults;
  readonly certificate: Certificate;
  readonly token: Token;
  readonly random: Random;
  /** `authMs`: how long a wrong ticket or token is left waiting; Proxmox takes 3 s. */
  readonly waits: Waits & { readonly authMs: number };
  /** 0: any free one. */
  readonly port: number;
}

/** The API of one cluster, over HTTPS on the loopback, as pveproxy of one of its nodes would answer. */
export interface ProxmoxApi {
  readonly url: string;
  /** Requests by path with query, such as `/nodes/pve01/qemu?full=1`. */
  requests(): ReadonlyMap<string, number>;
  forgetRequests(): void;
  stop(): Promise<void>;
}

const PREFIX = '/api2/json';
const MOST_PATHS = 200_000;

export async function startProxmoxApi(needs: ProxmoxApiNeeds): Promise<ProxmoxApi> {
  const desk = new Desk(needs);
  const { key, cert } = needs.certificate;
  const server = createServer({ key, cert, keepAliveTimeout: 60_000 }, (request, response) =>
    desk.take(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(needs.port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    requests: () => desk.counts,
    forgetRequests: () => desk.counts.clear(),
    stop: () => stop(server, desk),
  };
}

function stop(server: Server, desk: Desk): Promise<void> {
  desk.close();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Takes each request through credentials, faults and routes, and sends what came of it. */
class Desk {
  readonly counts = new Map<string, number>();
  readonly #needs: ProxmoxApiNeeds;
  readonly #sight: Sight;
  readonly #resources: Resources;
  readonly #waiting = new Set<NodeJS.Timeout>();

  constructor(needs: ProxmoxApiNeeds) {
    this.#needs = needs;
    this.#sight = new Sight(needs.estate, needs.faults, needs.random);
    this.#resources = new Resources(this.#sight);
  }

  close(): void {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const url = request.url ?? '/';
    const path = url.startsWith(PREFIX) ? url.slice(PREFIX.length) : url;
    if (this.counts.has(path) || this.counts.size < MOST_PATHS) this.counts.set(path, (this.counts.get(path) ?? 0) + 1);
    const fault = this.#needs.faults.take(path);
    if (fault?.does === 'reset') {
      request.socket.destroy();
      return;
    }
    if (fault?.does === 'hang') return;
    const told = this.#answer(request, url, fault);
    const delay = (told.delayMs ?? 0) + this.#needs.faults.now.slowMs;
    const deliver = () => this.#send(request, response, told, fault?.does === 'truncate');
    if (delay === 0) deliver();
    else this.#later(delay, deliver);
  }

  #later(delay: number, deed: () => void): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      deed();
    }, delay);
    this.#waiting.add(timer);
  }

  #answer(request: IncomingMessage, url: string, fault: PathFault | undefined): Answer {
    const { faults, estate, token, waits } = this.#needs;
    if (fault?.does === 'login-page' || faults.now.loginPage) return html(200, 'Sign in');
    const broken = fault?.does === 'error' ? fault : faults.now.status500 ? BROKEN : undefined;
    if (broken !== undefined)
      return failure(estate.version, broken.status ?? 500, broken.reason ?? 'unable to read statistics - got timeout');
    const cut = url.indexOf('?');
    const path = (cut < 0 ? url : url.slice(0, cut)).slice(PREFIX.length);
    if (!url.startsWith(`${PREFIX}/`))
      return url === '/' ? html(200, 'Proxmox Virtual Environment') : html(404, 'no such file');
    const refused = refusal(token, request.headers.authorization, faults.now.tokenRevoked);
    if (refused === null) return unauthorised('No ticket');
    if (refused !== undefined) return unauthorised(refused, waits.authMs);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return notImplemented(estate.version, request.method ?? '', path);
    const query = cut < 0 ? NO_QUERY : new Map(new URLSearchParams(url.slice(cut + 1)));
    return answer({ sight: this.#sight, resources: this.#resources, waits, path: plain(path), query });
  }

  #send(request: IncomingMessage, response: ServerResponse, told: Answer, truncated: boolean): void {
    if (response.destroyed) return;
    const zipped = told.body.length > 1_000 && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const body = zipped ? gzipSync(told.body) : Buffer.from(told.body, 'utf8');
    const headers = {
      ...COMMON,
      'content-type': told.type ?? 'application/json;charset=UTF-8',
      'content-length': body.length,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    };
    response.writeHead(told.status, told.reason, headers);
    if (!truncated) {
      response.end(request.method === 'HEAD' ? undefined : body);
      return;
    }
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => request.socket.destroy());
  }
}

const BROKEN: PathFault = { match: '', does: 'error' };
const NO_QUERY: ReadonlyMap<string, string> = new Map();
const COMMON = { 'cache-control': 'max-age=0', pragma: 'no-cache', server: 'pve-api-daemon/3.0' };

function plain(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
