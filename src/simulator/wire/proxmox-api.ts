import type { Certificate } from '../certificate.js';
import type { Estate } from '../estate.js';
import type { Faults } from '../faults.js';
import type { Random } from '../random.js';
import { type Answer, failure, html, notImplemented, unauthorised } from './answers.js';
import { Resources } from './resources.js';
import { answer, type Waits } from './routes.js';
import { type Service, type ServiceRequest, startService } from './service.js';
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

/** The API of one cluster, as pveproxy of one of its nodes would answer; requests are counted below `/api2/json`. */
export type ProxmoxApi = Service;

const PREFIX = '/api2/json';

export function startProxmoxApi(needs: ProxmoxApiNeeds): Promise<ProxmoxApi> {
  const { certificate, port, faults, estate } = needs;
  const desk = new Desk(needs);
  return startService({
    ...{ certificate, port, faults, headers: COMMON },
    countedAs: (url) => (url.startsWith(PREFIX) ? url.slice(PREFIX.length) : url),
    broken: (status, reason = 'unable to read statistics - got timeout') => failure(estate.version, status, reason),
    loginPage: () => html(200, 'Sign in'),
    answer: (request) => desk.answer(request),
  });
}

/** Takes a request through credentials and routes. */
class Desk {
  readonly #needs: ProxmoxApiNeeds;
  readonly #sight: Sight;
  readonly #resources: Resources;

  constructor(needs: ProxmoxApiNeeds) {
    this.#needs = needs;
    this.#sight = new Sight(needs.estate, needs.faults, needs.random);
    this.#resources = new Resources(this.#sight);
  }

  answer({ method, path: whole, query, headers }: ServiceRequest): Answer {
    const { faults, estate, token, waits } = this.#needs;
    const path = whole.slice(PREFIX.length);
    if (!whole.startsWith(`${PREFIX}/`))
      return whole === '/' ? html(200, 'Proxmox Virtual Environment') : html(404, 'no such file');
    const refused = refusal(token, headers.authorization, faults.now.tokenRevoked);
    if (refused === null) return unauthorised('No ticket');
    if (refused !== undefined) return unauthorised(refused, waits.authMs);
    if (method !== 'GET' && method !== 'HEAD') return notImplemented(estate.version, method, path);
    const asked = query.size === 0 ? NO_QUERY : new Map(query);
    return answer({ sight: this.#sight, resources: this.#resources, waits, path: plain(path), query: asked });
  }
}

const NO_QUERY: ReadonlyMap<string, string> = new Map();
const COMMON = {
  'content-type': 'application/json;charset=UTF-8',
  'cache-control': 'max-age=0',
  pragma: 'no-cache',
  server: 'pve-api-daemon/3.0',
};

function plain(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
