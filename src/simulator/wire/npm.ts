import { randomBytes } from 'node:crypto';
import type { Certificate } from '../certificate.js';
import type { Estate } from '../estate.js';
import { type NpmModel, npmModel } from '../npm-model.js';
import type { PlantedDrift } from '../plant.js';
import { type Answer, html } from './answers.js';
import { isFrom, NPM_USER, NPM_VERSIONS, NpmRows, type NpmVersion } from './npm-rows.js';
import { fieldsOf, json, type Service, type ServiceRequest, startService } from './service.js';
import { ServiceFaults } from './service-faults.js';
import { Sessions } from './service-sessions.js';

export interface SimulatedNpmOptions {
  readonly estates: readonly Estate[];
  readonly certificate: Certificate;
  readonly now: () => number;
  readonly seed: number;
  readonly version?: NpmVersion;
  readonly database?: 'sqlite' | 'mysql';
  /** What it is called where it is named as a source: planted findings say `name/id`. */
  readonly name?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Made anew without it. */
  readonly secret?: string;
  readonly faults?: ServiceFaults;
  readonly tokenLifeMs?: number;
  /** `user`: the one who logs in sees only rows of its own, and has none. */
  readonly visibility?: 'all' | 'user';
  /** Lists that the user may not see: `certificates`. */
  readonly forbidden?: readonly string[];
  /** `cluster/vmid` of guests on which something else is planted. */
  readonly untouchable?: ReadonlySet<string>;
}

export interface SimulatedNpm extends Service {
  readonly name: string;
  readonly identity: string;
  readonly secret: string;
  readonly faults: ServiceFaults;
  readonly plantedDrift: readonly PlantedDrift[];
  /** `cluster/vmid` of guests that must stay as they are. */
  readonly touched: ReadonlySet<string>;
}

const DAY = 86_400_000;
/** The six digits that the second factor would show. */
export const NPM_CODE = '246810';

/** An Nginx Proxy Manager in front of the estates, its admin page over HTTPS on the loopback. */
export async function startSimulatedNpm(options: SimulatedNpmOptions): Promise<SimulatedNpm> {
  const { estates, seed, now, name = 'sim-npm', faults = new ServiceFaults() } = options;
  const { certificate, port = 0, untouchable = new Set() } = options;
  const model = npmModel({ estates, seed, name, at: now(), untouchable });
  const secret = options.secret ?? randomBytes(12).toString('base64url');
  const manager = new Manager(options, model, { faults, secret });
  const service = await startService({
    ...{ certificate, port, faults, headers: HEADERS },
    broken: (status, reason) => refused(status, reason ?? ERRORS[status] ?? 'Internal Error'),
    loginPage: () => html(200, 'Sign in'),
    answer: (request) => manager.answer(request),
  });
  const { planted: plantedDrift, touched } = model;
  return { ...service, name, identity: NPM_USER.email, secret, faults, plantedDrift, touched };
}

const ERRORS: Readonly<Record<number, string>> = { 403: 'Permission Denied', 404: 'Not Found' };

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  server: 'openresty',
  'x-served-by': 'sim-npm',
};

function refused(code: number, message: string, more: object = {}): Answer {
  return json(code, { error: { code, message, ...more } });
}

/** Takes a request through credentials to its list. */
class Manager {
  readonly #options: SimulatedNpmOptions;
  readonly #version: NpmVersion;
  readonly #faults: ServiceFaults;
  readonly #secret: string;
  readonly #rows: NpmRows;
  readonly #sessions: Sessions;
  readonly #challenges = new Set<string>();

  constructor(options: SimulatedNpmOptions, model: NpmModel, given: { faults: ServiceFaults; secret: string }) {
    this.#options = options;
    this.#version = options.version ?? '2.15';
    this.#faults = given.faults;
    this.#secret = given.secret;
    const { now, database = 'sqlite' } = options;
    this.#rows = new NpmRows(model, { version: this.#version, database }, now);
    this.#sessions = new Sessions({ faults: given.faults, now, lifeMs: options.tokenLifeMs ?? DAY });
  }

  answer({ method, path, query, headers, body }: ServiceRequest): Answer {
    const call = `${method} ${path}`;
    if (call === 'GET /') return html(200, 'Nginx Proxy Manager');
    if (call === 'GET /api/') return this.#status();
    if (call === 'POST /api/tokens') return this.#login(fieldsOf(body));
    if (call === 'POST /api/tokens/2fa' && this.#knowsTwoFactor()) return this.#secondFactor(fieldsOf(body));
    const shut = this.#shut(headers.authorization);
    if (shut !== undefined) return debugged(path, shut);
    const expand = new Set((query.get('expand') ?? '').split(','));
    if (call === 'GET /api/tokens') return this.#token();
    if (call === 'GET /api/users/me') return json(200, this.#rows.user(expand, this.#options.visibility ?? 'all'));
    const [, list = '', id] = /^GET \/api\/nginx\/([a-z-]+)(?:\/(\d+))?$/.exec(call) ?? [];
    if (this.#options.forbidden?.includes(list) === true) return debugged(path, refused(403, 'Permission Denied'));
    const rows = this.#rows.list(list, expand);
    if (rows === undefined) return refused(404, 'Not Found');
    const seen = this.#options.visibility === 'user' ? [] : rows;
    if (id === undefined) return json(200, seen);
    const row = seen.find((one) => 'id' in one && one.id === Number(id));
    return row === undefined ? debugged(path, refused(404, `Item Not Found - ${id}`)) : json(200, row);
  }

  #status(): Answer {
    const [major, minor, revision] = NPM_VERSIONS[this.#version].split('.').map(Number);
    const setup = isFrom(this.#version, '2.13') ? { setup: true } : {};
    return json(200, { status: 'OK', ...setup, version: { major, minor, revision } });
  }

  #knowsTwoFactor(): boolean {
    return isFrom(this.#version, '2.13');
  }

  #login({ identity, secret }: Readonly<Record<string, unknown>>): Answer {
    if (typeof identity !== 'string') return refused(400, "data must have required property 'identity'");
    if (typeof secret !== 'string') return refused(400, "data must have required property 'secret'");
    const { twoFactor, keyRevoked } = this.#faults.now;
    const isKnown = identity.toLowerCase().trim() === NPM_USER.email && secret === this.#secret && !keyRevoked;
    if (!isKnown) return this.#unknown('Invalid email or password', 'error.invalid-auth');
    if (!twoFactor || !this.#knowsTwoFactor()) return this.#token();
    const challenge = randomBytes(24).toString('base64url');
    this.#challenges.add(challenge);
    return json(200, { requires_2fa: true, challenge_token: challenge });
  }

  #secondFactor({ challenge_token: challenge, code }: Readonly<Record<string, unknown>>): Answer {
    const isGood = typeof challenge === 'string' && this.#challenges.delete(challenge) && code === NPM_CODE;
    return isGood ? this.#token() : this.#unknown('Invalid verification code', 'error.invalid-2fa');
  }

  #token(): Answer {
    const { token, until } = this.#sessions.open({ iss: 'api', attrs: { id: NPM_USER.id }, scope: ['user'] });
    return json(200, { token, expires: new Date(until).toISOString() });
  }

  /** Why credentials open nothing; undefined where they do. What this installation did not sign is an error of its own. */
  #shut(authorization: string | undefined): Answer | undefined {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) return refused(403, 'Permission Denied');
    const state = this.#sessions.stateOf(token);
    if (state === 'over') return this.#unknown('Token has expired');
    return state === 'unknown' ? refused(500, 'Internal Error') : undefined;
  }

  /** Wrong credentials, and a token whose day is over: a 401 up to 2.12, a 400 from 2.13 on. */
  #unknown(message: string, i18n?: string): Answer {
    const isNew = isFrom(this.#version, '2.13');
    return refused(isNew ? 400 : 401, message, isNew && i18n !== undefined ? { message_i18n: i18n } : {});
  }
}

/** Errors below the certificates' path bring where they came from. */
function debugged(path: string, told: Answer): Answer {
  if (!path.includes('nginx/certificates')) return told;
  return { ...told, body: JSON.stringify({ ...JSON.parse(told.body), debug: { stack: ['Error'], previous: null } }) };
}
