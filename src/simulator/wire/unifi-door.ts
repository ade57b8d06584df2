import { randomBytes } from 'node:crypto';
import { uuidOf } from '../random.js';
import { type Answer, html } from './answers.js';
import { fieldsOf, json, type ServiceRequest } from './service.js';
import type { ServiceFaults } from './service-faults.js';
import { Sessions } from './service-sessions.js';
import { integrationError } from './unifi-integration.js';
import { refused, told } from './unifi-site.js';

/**
 * What an API key opens in a console. Keys came with Network 9.0 and its integration API; some time later, by 9.3, the
 * older paths took them too.
 */
export type KeyOpens = 'nothing' | 'integration' | 'everything';

/** Of `9.5.21`. */
export function keyOpens(version: string): KeyOpens {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 9) return 'nothing';
  return major > 9 || minor >= 3 ? 'everything' : 'integration';
}

export interface UnifiDoorNeeds {
  readonly faults: ServiceFaults;
  readonly flavour: 'classic' | 'os';
  readonly password: string;
  readonly apiKey: string;
  readonly keyOpens: KeyOpens;
  readonly now: () => number;
  readonly sessionLifeMs?: number;
}

/** The six digits that the second factor would show. */
export const UNIFI_CODE = '135790';

const LIFE = 2 * 3_600_000;
const FAILURES_ALLOWED = 5;
const LOCKED_MS = 60_000;

type Fields = Readonly<Record<string, unknown>>;

/** Who may ask: logins, cookies and keys, as a controller of its own and as a console take them. */
export class UnifiDoor {
  readonly username = 'reader';
  readonly #needs: UnifiDoorNeeds;
  readonly #sessions: Sessions;
  readonly #challenges = new Set<string>();
  #failures: number[] = [];

  constructor(needs: UnifiDoorNeeds) {
    this.#needs = needs;
    const { faults, now, sessionLifeMs: lifeMs = LIFE } = needs;
    this.#sessions = new Sessions({ faults, now, lifeMs });
  }

  /** The door's own answer; undefined: the request may pass. */
  opens(request: ServiceRequest): Answer | undefined {
    return this.#needs.flavour === 'os' ? this.#atConsole(request) : this.#atController(request);
  }

  #atController(request: ServiceRequest): Answer | undefined {
    const { method, path, headers } = request;
    const call = `${method} ${path}`;
    if (call === 'GET /') return { ...html(302, 'Found'), body: '', headers: { location: '/manage' } };
    if (path === '/manage' || path.startsWith('/manage/')) return html(200, 'UniFi Network');
    if (call === 'POST /api/login') return this.#controllerLogin(fieldsOf(request.body));
    const session = cookieOf(headers.cookie, 'unifises');
    if (path === '/api/logout') return this.#logout(session, told([]));
    if (path.startsWith('/integration/') || !path.startsWith('/api/')) return refused(404, 'api.err.NotFound');
    return this.#sessions.stateOf(session) === 'open' ? undefined : refused(401, 'api.err.LoginRequired');
  }

  #controllerLogin(fields: Fields): Answer {
    if (!this.#isKnown(fields)) return refused(400, 'api.err.Invalid');
    if (this.#needs.faults.now.twoFactor && fields.ubic_2fa_token !== UNIFI_CODE)
      return refused(400, 'api.err.Ubic2faTokenRequired');
    const { token } = this.#sessions.open();
    const cookies = [
      `unifises=${token}; Path=/; Secure; HttpOnly`,
      `csrf_token=${randomBytes(12).toString('hex')}; Path=/; Secure`,
    ];
    return { ...told([]), headers: { 'set-cookie': cookies } };
  }

  #atConsole(request: ServiceRequest): Answer | undefined {
    const { method, path, headers } = request;
    const call = `${method} ${path}`;
    if (call === 'GET /') return { ...html(200, 'UniFi OS'), headers: { 'x-csrf-token': uuidOf('csrf', 'nobody') } };
    if (call === 'POST /api/auth/login') return this.#consoleLogin(fieldsOf(request.body), headers.cookie);
    const session = cookieOf(headers.cookie, 'TOKEN');
    if (call === 'POST /api/auth/logout') return this.#logout(session, json(200, {}));
    if (!path.startsWith('/proxy/network/')) return json(404, { error: { code: 404, message: 'Not Found' } });
    const key = headers['x-api-key'];
    if (path.startsWith('/proxy/network/integration/') || key !== undefined) return this.#byKey(key, request);
    if (this.#sessions.stateOf(session) !== 'open') return refused(401, 'api.err.LoginRequired');
    const isRead = method === 'GET' || method === 'HEAD';
    return isRead || headers['x-csrf-token'] === csrfOf(session)
      ? undefined
      : json(403, { error: { code: 403, message: 'Forbidden' } });
  }

  #byKey(key: string | string[] | undefined, request: ServiceRequest): Answer | undefined {
    const { keyOpens: opens, apiKey, faults } = this.#needs;
    const isIntegration = request.path.startsWith('/proxy/network/integration/');
    if (opens === 'nothing')
      return isIntegration ? refused(404, 'api.err.NotFound') : refused(401, 'api.err.LoginRequired');
    const deny = (code: string, message: string) => integrationError(this.#needs, request, 401, code, message);
    if (key === undefined) return deny('api.authentication.missing-credentials', 'Missing credentials');
    if (key !== apiKey || faults.now.keyRevoked)
      return deny('api.authentication.invalid-credentials', 'Invalid credentials');
    return isIntegration || opens === 'everything' ? undefined : refused(401, 'api.err.LoginRequired');
  }

  #consoleLogin(fields: Fields, cookies: string | undefined): Answer {
    const now = this.#needs.now();
    this.#failures = this.#failures.filter((at) => now - at < LOCKED_MS);
    if (this.#failures.length >= FAILURES_ALLOWED) return tooOften();
    if (!this.#isKnown(fields)) {
      this.#failures.push(now);
      const message = 'Invalid username or password';
      return json(403, { code: 'AUTHENTICATION_FAILED_INVALID_CREDENTIALS', message, level: 'debug' });
    }
    const answered = fields.token === UNIFI_CODE && this.#challenges.delete(cookieOf(cookies, 'UBIC_2FA'));
    return this.#needs.faults.now.twoFactor && !answered ? this.#challenge() : this.#welcome();
  }

  #challenge(): Answer {
    const challenge = randomBytes(18).toString('base64url');
    this.#challenges.add(challenge);
    const id = uuidOf('unifi', 'authenticator');
    const data = {
      required: '2fa',
      mfaCookie: `UBIC_2FA=${challenge}`,
      authenticators: [{ id, type: 'totp', status: 'active' }],
    };
    return { ...json(499, { code: 'MFA_AUTH_REQUIRED', message: 'MFA Authentication Required', data }), reason: 'MFA' };
  }

  #welcome(): Answer {
    const { token } = this.#sessions.open({ csrfToken: uuidOf('csrf', randomBytes(8).toString('hex')) });
    const user = {
      ...{ unique_id: uuidOf('unifi', 'user'), username: this.username, first_name: 'Reader', last_name: '' },
      ...{ full_name: 'Reader', email: '', status: 'ACTIVE', local_account_exist: true, extras: null, groups: [] },
      ...{
        roles: [
          { unique_id: uuidOf('unifi', 'role'), name: 'Viewer', system_role: true, system_key: 'viewer', level: 5 },
        ],
      },
      ...{ permissions: { 'network.management': ['readonly'] }, scopes: ['view:controller:network'] },
    };
    const headers = {
      'set-cookie': [`TOKEN=${token}; Path=/; Secure; HttpOnly; SameSite=None`],
      'x-csrf-token': csrfOf(token),
    };
    return json(200, user, headers);
  }

  #logout(session: string, done: Answer): Answer {
    this.#sessions.close(session);
    return done;
  }

  #isKnown({ username, password }: Fields): boolean {
    return username === this.username && password === this.#needs.password && !this.#needs.faults.now.keyRevoked;
  }
}

function tooOften(): Answer {
  const message = "You've reached the login attempt limit";
  const headers = { 'retry-after': String(LOCKED_MS / 1000) };
  return json(429, { code: 'AUTHENTICATION_FAILED_LIMIT_REACHED', message, level: 'debug' }, headers);
}

/** What a write must say again: it is in the token itself. */
function csrfOf(token: string): string {
  const claims = fieldsOf(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return typeof claims.csrfToken === 'string' ? claims.csrfToken : '';
}

function cookieOf(header: string | undefined, name: string): string {
  for (const pair of (header ?? '').split(';')) {
    const cut = pair.indexOf('=');
    if (cut > 0 && pair.slice(0, cut).trim() === name) return pair.slice(cut + 1).trim();
  }
  return '';
}
