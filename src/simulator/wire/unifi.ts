import { randomBytes } from 'node:crypto';
import type { Certificate } from '../certificate.js';
import type { Estate } from '../estate.js';
import type { PlantedDrift } from '../plant.js';
import { type Stranger, UnifiModel } from '../unifi-model.js';
import { type Answer, html } from './answers.js';
import { type Service, type ServiceRequest, startService } from './service.js';
import { ServiceFaults } from './service-faults.js';
import { classicRows, siteRows } from './unifi-classic.js';
import { type KeyOpens, keyOpens, UnifiDoor } from './unifi-door.js';
import { integrationAnswer, integrationError } from './unifi-integration.js';
import { type Application, refused, SITES, told } from './unifi-site.js';

export const NETWORK_VERSIONS = {
  '7.4': '7.4.162',
  '8.6': '8.6.9',
  '9.0': '9.0.99',
  '9.5': '9.5.21',
  '10.1': '10.1.89',
  '10.5': '10.5.66',
} as const;
export type NetworkVersion = keyof typeof NETWORK_VERSIONS;

export interface SimulatedUnifiOptions {
  readonly estates: readonly Estate[];
  readonly certificate: Certificate;
  readonly now: () => number;
  readonly seed: number;
  /** `os`: a console with the Network application in it, the default. `classic`: a controller of its own. */
  readonly flavour?: 'classic' | 'os';
  readonly networkVersion?: NetworkVersion;
  /** Where it is not as the version has it. */
  readonly keyOpens?: KeyOpens;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Made anew without them. */
  readonly password?: string;
  readonly apiKey?: string;
  readonly faults?: ServiceFaults;
  readonly sessionLifeMs?: number;
  /** `cluster/vmid` of guests on which something else is planted. */
  readonly untouchable?: ReadonlySet<string>;
}

export interface SimulatedUnifi extends Service {
  /** The site's internal name. */
  readonly site: string;
  readonly username: string;
  readonly password: string;
  /** Good on a console from 9.0 on. */
  readonly apiKey: string;
  readonly faults: ServiceFaults;
  readonly plantedDrift: readonly PlantedDrift[];
  /** `cluster/vmid` of guests that must stay as they are. */
  readonly touched: ReadonlySet<string>;
  /** Who answers for a guest's address: neighbours that say otherwise would contradict it. */
  readonly stranger: Stranger | null;
}

const PREFIX = { os: '/proxy/network', classic: '' } as const;

/** A UniFi controller of the network that the estates hang on, over HTTPS on the loopback. */
export async function startSimulatedUnifi(options: SimulatedUnifiOptions): Promise<SimulatedUnifi> {
  const { certificate, port = 0, faults = new ServiceFaults(), flavour = 'os' } = options;
  const model = new UnifiModel(options);
  const password = options.password ?? randomBytes(12).toString('base64url');
  const apiKey = options.apiKey ?? randomBytes(24).toString('base64url');
  const version = NETWORK_VERSIONS[options.networkVersion ?? '10.1'];
  const door = new UnifiDoor({ keyOpens: keyOpens(version), ...options, faults, flavour, password, apiKey });
  const service = await startService({
    ...{ certificate, port, faults, headers: HEADERS[flavour] },
    broken: (status, reason) => refused(status, reason ?? ERRORS[status] ?? 'api.err.ServerError'),
    loginPage: () => html(200, 'Sign in'),
    answer: (request) => door.opens(request) ?? answer({ ...options, model, flavour, version }, request),
  });
  const { planted: plantedDrift, stranger } = model;
  const touched = new Set(stranger === null ? [] : [stranger.place]);
  const [{ name: site }] = SITES;
  return { ...service, site, username: door.username, password, apiKey, faults, plantedDrift, touched, stranger };
}

const ERRORS: Readonly<Record<number, string>> = {
  401: 'api.err.LoginRequired',
  403: 'api.err.NoPermission',
  404: 'api.err.NotFound',
};

const HEADERS = {
  os: { 'content-type': 'application/json; charset=utf-8', server: 'nginx' },
  classic: { 'content-type': 'application/json;charset=UTF-8' },
} as const;

/** What the Network application says to somebody who may ask. */
function answer(application: Application, request: ServiceRequest): Answer {
  const { flavour } = application;
  const below = request.path.slice(PREFIX[flavour].length);
  if (below.startsWith('/integration/v1/'))
    return integrationAnswer(application, below.slice('/integration/v1'.length), request);
  if (below.startsWith('/integration/'))
    return integrationError(application, request, 404, 'api.request.error', 'Not found');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refused(403, 'api.err.NoPermission');
  if (below === '/api/self/sites') return told(siteRows());
  if (below === '/api/self') return told([{ name: 'reader', site_role: 'readonly', is_super: false }]);
  const [, site, list = ''] = /^\/api\/s\/([^/]+)\/(.+)$/.exec(below) ?? [];
  if (site === undefined) return refused(404, 'api.err.NotFound');
  const known = SITES.find(({ name }) => name === site);
  if (known === undefined) return refused(400, 'api.err.NoSiteContext');
  const rows = classicRows(application, list);
  if (rows === undefined) return refused(404, 'api.err.NotFound');
  return told(known.isOurs ? rows : []);
}
