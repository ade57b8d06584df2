import { randomUUID } from 'node:crypto';
import type { Certificate } from '../../certificate.js';
import type { NetboxModel } from '../../netbox-model.js';
import { hashOf } from '../../random.js';
import type { Answer } from '../answers.js';
import { json, type Service, type ServiceRequest, startService } from '../service.js';
import { endpointAt } from './endpoints.js';
import type { NetboxFaults } from './faults.js';
import { graphql } from './graphql.js';
import { listing, written } from './listing.js';
import { Shelf } from './shelf.js';
import { type NetboxTokens, refusal } from './tokens.js';
import { mannersOf, type NetboxVersion, RELEASES } from './version.js';

export interface NetboxOptions {
  readonly model: NetboxModel;
  readonly faults: NetboxFaults;
  readonly certificate: Certificate;
  readonly seed: number;
  /** 4.2 unless another is wanted. */
  readonly version?: NetboxVersion;
  /** Any free one without it. */
  readonly port?: number;
  /** Made of the seed without them. */
  readonly tokens?: NetboxTokens;
}

/** A simulated NetBox over HTTPS on the loopback. Edits are done to its model, and show at once. */
export interface SimulatedNetbox extends Service {
  readonly version: NetboxVersion;
  /** Sent as `Token …`. */
  readonly token: string;
  /** Sent as `Bearer …`; refused by what is older than 4.5. */
  readonly tokenV2: string;
  readonly model: NetboxModel;
  readonly faults: NetboxFaults;
}

/** The host that answers behind the proxy, as NetBox without trust in its proxy would name itself. */
const BEHIND = 'http://netbox-backend.internal:8001';

export async function startSimulatedNetbox(options: NetboxOptions): Promise<SimulatedNetbox> {
  const { model, faults, certificate, version = '4.2', port = 0 } = options;
  const tokens = options.tokens ?? tokensOf(options.seed);
  const desk = new Desk(new Shelf(model, mannersOf(version)), faults, tokens);
  const service = await startService({
    ...{ certificate, port, faults },
    headers: { 'content-type': 'application/json', server: 'nginx', vary: 'HX-Request, Accept, Cookie, origin' },
    broken: (status, reason) => desk.broken(status, reason),
    loginPage: () => page(200, 'Log In'),
    answer: (request) => desk.answer(request),
  });
  return { ...service, version, token: tokens.first, tokenV2: tokens.second, model, faults };
}

function tokensOf(seed: number): NetboxTokens {
  const hex = (word: string) =>
    [0, 1, 2, 3, 4].map((n) => hashOf(seed, word, n).toString(16).padStart(8, '0')).join('');
  return { first: hex('token'), second: `nbt_${hex('key').slice(0, 12)}.${hex('secret')}` };
}

const REFUSALS: Readonly<Record<number, string>> = {
  403: 'You do not have permission to perform this action.',
  404: 'Not found.',
};

class Desk {
  readonly #shelf: Shelf;
  readonly #faults: NetboxFaults;
  readonly #tokens: NetboxTokens;

  constructor(shelf: Shelf, faults: NetboxFaults, tokens: NetboxTokens) {
    this.#shelf = shelf;
    this.#faults = faults;
    this.#tokens = tokens;
  }

  answer(request: ServiceRequest): Answer {
    const told = this.#answer(request);
    const headers = { 'api-version': this.#shelf.manners.version, 'x-request-id': randomUUID() };
    return { ...told, headers: { ...headers, ...told.headers } };
  }

  /** A refusal; else an exception that nobody caught, as the API tells it. */
  broken(status: number, reason?: string): Answer {
    const detail = reason ?? REFUSALS[status];
    if (status < 500 && detail !== undefined) return json(status, { detail });
    return this.#thrown(status, reason);
  }

  #thrown(
    status: number,
    reason = 'connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed',
  ): Answer {
    const told = { error: reason, exception: 'OperationalError', python_version: '3.12.3' };
    return json(status, { ...told, netbox_version: RELEASES[this.#shelf.manners.version] });
  }

  #answer(request: ServiceRequest): Answer {
    const { path, query, method } = request;
    if (path === '/graphql/' || path === '/graphql') return this.#refused(request) ?? graphql(this.#shelf, request);
    if (!path.startsWith('/api/') && path !== '/api')
      return page(path === '/' || path === '/login/' ? 200 : 404, path === '/' ? 'Home' : 'Page Not Found');
    // Django sends whoever forgets the slash to the path with it.
    if (!path.endsWith('/')) {
      const target = query.size === 0 ? `${path}/` : `${path}/?${query}`;
      return { ...page(301, ''), body: '', headers: { location: target } };
    }
    const open = !this.#shelf.manners.four && (path === '/api/' || path === '/api/status/');
    const refused = open ? undefined : this.#refused(request);
    if (refused !== undefined) return refused;
    if (method !== 'GET' && method !== 'HEAD') return json(403, { detail: REFUSALS[403] });
    return this.#read(request);
  }

  #refused({ headers }: ServiceRequest): Answer | undefined {
    const detail = refusal(this.#tokens, this.#shelf.manners, headers.authorization, this.#faults.now);
    return detail === undefined ? undefined : json(403, { detail });
  }

  #read({ path, query, headers }: ServiceRequest): Answer {
    const origin = `https://${headers.host ?? 'localhost'}`;
    if (path === '/api/') return json(200, rootOf(origin));
    if (path === '/api/status/') return json(200, this.#status());
    const [, app = '', model = '', id] = /^\/api\/([\w-]+)\/([\w-]+)\/(?:(\d+)\/)?$/.exec(path) ?? [];
    const endpoint = endpointAt(`${app}/${model}`, this.#shelf);
    if (endpoint === undefined) return page(404, 'Page Not Found');
    const faults = this.#faults.now;
    const pen = { shelf: this.#shelf, origin };
    const linked = faults.nextElsewhere ? BEHIND : origin;
    if (id === undefined) return listing({ endpoint, pen, query, path, linked, faults });
    if (endpoint.has(Number(id), this.#shelf)) return json(200, written({ endpoint, pen, query }, Number(id)));
    const detail = this.#shelf.manners.four ? `No ${endpoint.model} matches the given query.` : 'Not found.';
    return json(404, { detail });
  }

  #status(): object {
    const { version } = this.#shelf.manners;
    return {
      'django-version': version === '3.7' ? '4.2.11' : '5.0.9',
      [version === '4.6' ? 'installed_apps' : 'installed-apps']: {
        django_filters: '24.3',
        rest_framework: '3.15.2',
        taggit: '6.1.0',
      },
      'netbox-version': RELEASES[version],
      ...(version === '4.2' || version === '4.6' ? { 'netbox-full-version': RELEASES[version] } : {}),
      plugins: {},
      'python-version': '3.12.3',
      'rq-workers-running': 1,
    };
  }
}

function rootOf(origin: string): object {
  const apps = [
    'circuits',
    'core',
    'dcim',
    'extras',
    'ipam',
    'plugins',
    'status',
    'tenancy',
    'users',
    'virtualization',
  ];
  return Object.fromEntries(apps.map((app) => [app, `${origin}/api/${app}/`]));
}

function page(status: number, title: string): Answer {
  const reason = { 200: 'OK', 301: 'Moved Permanently', 404: 'Not Found' }[status] ?? '';
  const body = `<!DOCTYPE html>\n<html lang="en"><head><title>${title} | NetBox</title></head><body>${title}</body></html>\n`;
  return { status, reason, body, type: 'text/html; charset=utf-8' };
}
