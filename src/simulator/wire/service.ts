import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Certificate, expired, selfSigned } from '../certificate.js';
import type { HttpFaults, PathFault, ShownCertificate } from '../fault-switches.js';
import { type Answer, html } from './answers.js';

/** What the faults of a service must tell: `FaultSwitches` does, and every class made of it. */
export interface RequestFaults {
  readonly now: Omit<HttpFaults, 'paths'>;
  take(path: string): PathFault | undefined;
  onChange(listener: () => void): () => void;
}

export interface ServiceRequest {
  readonly method: string;
  /** The path without its query, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** '' of a GET. */
  readonly body: string;
}

export interface ServiceNeeds {
  readonly certificate: Certificate;
  /** 0: any free one. */
  readonly port: number;
  readonly faults: RequestFaults;
  /** Sent with every answer: its `content-type` is that of answers that name no type of their own. */
  readonly headers: Readonly<Record<string, string>>;
  /** By what a request is counted, and faults are matched; its path with query, unless there is something to cut off. */
  countedAs?(url: string): string;
  /** An error in this product's words, for the faults that ask for one. */
  broken(status: number, reason: string | undefined): Answer;
  /** What somebody in between would answer everything with. */
  loginPage(): Answer;
  answer(request: ServiceRequest): Answer | Promise<Answer>;
}

/** A simulated service over HTTPS on the loopback. */
export interface Service {
  readonly url: string;
  /** SHA-256 over its certificate, upper-case pairs with colons. */
  readonly fingerprint: string;
  /** Requests so far, by path with query. */
  requests(): ReadonlyMap<string, number>;
  forgetRequests(): void;
  stop(): Promise<void>;
}

const MOST_PATHS = 200_000;
const LONGEST_BODY = 1_000_000;

/** Starts it; rejects where the port is taken. */
export async function startService(needs: ServiceNeeds): Promise<Service> {
  const counter = new Counter(needs);
  const { key, cert, fingerprint } = needs.certificate;
  const server = createServer({ key, cert, keepAliveTimeout: 60_000 }, (request, response) =>
    counter.take(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(needs.port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const door = openDoor(server, needs);
  return {
    url: `https://127.0.0.1:${port}`,
    fingerprint,
    requests: () => counter.counts,
    forgetRequests: () => counter.counts.clear(),
    stop: () => stop(server, counter, door),
  };
}

function stop(server: Server, counter: Counter, door: () => void): Promise<void> {
  counter.close();
  door();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * What is wrong before any request: nobody there, nothing said, another certificate. Connections that are open when that
 * changes are ended, or they would go on as before. Gives the way to end all of it.
 */
function openDoor(server: Server, { certificate, faults }: ServiceNeeds): () => void {
  const sockets = new Set<Socket>();
  let shown = faults.now.certificate;
  let { down, hung } = faults.now;
  server.on('connection', (socket: Socket) => {
    if (down) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const stopListening = faults.onChange(() => {
    const { now } = faults;
    if (now.certificate !== shown) server.setSecureContext(certificates(certificate)[now.certificate]());
    else if (now.down === down && now.hung === hung) return;
    ({ down, hung } = now);
    shown = now.certificate;
    for (const socket of sockets) socket.destroy();
  });
  return () => {
    stopListening();
    for (const socket of sockets) socket.destroy();
  };
}

function certificates(own: Certificate): Readonly<Record<ShownCertificate, () => Certificate>> {
  return { own: () => own, expired, other: () => selfSigned() };
}

/** An answer in JSON. */
export function json(status: number, value: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, reason: STATUS_CODES[status] ?? '', body: JSON.stringify(value), headers };
}

/** The fields of a body in JSON; none of one that is something else. */
export function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const sent: unknown = JSON.parse(body);
    return typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Takes each request through faults and the service's own answer, and sends what came of it. */
class Counter {
  readonly counts = new Map<string, number>();
  readonly #needs: ServiceNeeds;
  readonly #waiting = new Set<NodeJS.Timeout>();

  constructor(needs: ServiceNeeds) {
    this.#needs = needs;
  }

  close(): void {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    const path = this.#needs.countedAs?.(url) ?? url;
    if (this.counts.has(path) || this.counts.size < MOST_PATHS) this.counts.set(path, (this.counts.get(path) ?? 0) + 1);
    const fault = this.#needs.faults.take(path);
    if (fault?.does === 'reset') {
      request.socket.destroy();
      return;
    }
    if (fault?.does === 'hang' || this.#needs.faults.now.hung) {
      request.resume();
      return;
    }
    const deliver = (told: Answer) => this.#deliver(request, response, told, fault?.does === 'truncate');
    const told = this.#fromFaults(fault) ?? this.#asked(request, url);
    if (!(told instanceof Promise)) {
      request.resume();
      deliver(told);
      return;
    }
    told.then(deliver, (error: unknown) => deliver(this.#needs.broken(500, reasonOf(error))));
  }

  #fromFaults(fault: PathFault | undefined): Answer | undefined {
    const { faults, broken, loginPage } = this.#needs;
    if (fault?.does === 'login-page' || faults.now.loginPage) return loginPage();
    if (fault?.does === 'error') return inFront(fault) ?? broken(fault.status ?? 500, fault.reason);
    return faults.now.status500 ? broken(500, undefined) : undefined;
  }

  /** A GET is answered at once, where its answer is: thousands of them a second are asked in the bench. */
  #asked(request: IncomingMessage, url: string): Answer | Promise<Answer> {
    const { method = '', headers } = request;
    const asked = (body: string) => this.#needs.answer({ method, ...parted(url), headers, body });
    return method === 'GET' || method === 'HEAD' ? asked('') : bodyOf(request).then(asked);
  }

  #deliver(request: IncomingMessage, response: ServerResponse, told: Answer, truncated: boolean): void {
    const delay = (told.delayMs ?? 0) + this.#needs.faults.now.slowMs;
    const deed = () => this.#send(request, response, told, truncated);
    if (delay === 0) {
      deed();
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      deed();
    }, delay);
    this.#waiting.add(timer);
  }

  #send(request: IncomingMessage, response: ServerResponse, told: Answer, truncated: boolean): void {
    if (response.destroyed) return;
    const zipped = told.body.length > 1_000 && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const body = zipped ? gzipSync(told.body) : Buffer.from(told.body, 'utf8');
    const headers = {
      ...this.#needs.headers,
      ...(told.type === undefined ? {} : { 'content-type': told.type }),
      ...told.headers,
      'content-length': body.length,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    };
    response.writeHead(told.status, told.reason, headers as Record<string, string | string[] | number>);
    if (!truncated) {
      response.end(request.method === 'HEAD' ? undefined : body);
      return;
    }
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => request.socket.destroy());
  }
}

/** 502 to 504 are the word of a proxy in front of a service, which has a page for them; with a reason they are its own. */
function inFront({ status = 500, reason }: PathFault): Answer | undefined {
  const isDoor = status >= 502 && status <= 504 && reason === undefined;
  return isDoor ? html(status, STATUS_CODES[status] ?? '') : undefined;
}

const NO_QUERY = new URLSearchParams();

function parted(url: string): Pick<ServiceRequest, 'path' | 'query'> {
  const cut = url.indexOf('?');
  return cut < 0
    ? { path: url, query: NO_QUERY }
    : { path: url.slice(0, cut), query: new URLSearchParams(url.slice(cut + 1)) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > LONGEST_BODY) throw new Error(`the body is longer than ${LONGEST_BODY} characters`);
  }
  return text;
}

/** The reason phrase takes no line breaks and nothing beyond ASCII. */
function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/[^\x20-\x7e]/g, ' ');
}
