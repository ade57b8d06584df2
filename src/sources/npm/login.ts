import type { NpmSettings } from '../../domain/settings.js';
import { type Instant, MINUTE } from '../../domain/time.js';
import { PassFailure } from '../service-pass.js';
import type { HttpsAnswer } from '../transport/https.js';
import { CUT, elsewhere, jsonBody } from '../transport/json-body.js';
import { clockAhead } from '../transport/peer-clock.js';
import { plainText } from '../understood.js';
import { type WireObject, wireFlag, wireInteger, wireObject, wireText } from '../wire-values.js';

/** Where a login is asked for. */
export const LOGIN = '/api/tokens';

export interface NpmToken {
  readonly text: string;
  /** By our clock; a token is used no longer than this. */
  readonly goodUntil: Instant;
}

/** A token that ends while a pass is under way would cost the pass a second login. */
const MARGIN = 5 * MINUTE;
/** Where the answer does not say when it ends. */
const ASSUMED_LIFE = 60 * MINUTE;

/** The token that a login gave; else why there is none, as a sentence for whoever keeps the settings. */
export function npmToken(answer: HttpsAnswer, settings: NpmSettings, at: Instant): NpmToken {
  const read = jsonBody(answer);
  const body = read.kind === 'json' ? wireObject(read.value) : undefined;
  const target = elsewhere(answer);
  if (target !== undefined) throw new PassFailure(redirected(answer, settings, target));
  if (body === undefined || answer.status === 404) throw new PassFailure(notNpm(answer, settings, LOGIN));
  if (answer.status !== 200 && answer.status !== 201) {
    throw new PassFailure(isOwnError(body) ? refused(answer, settings) : notNpm(answer, settings, LOGIN));
  }
  if (wireFlag(body.requires_2fa) === true) throw new PassFailure(secondFactor(settings));
  const text = wireText(body.token);
  if (text === undefined) throw new PassFailure(notNpm(answer, settings, LOGIN));
  const expires = Date.parse(wireText(body.expires) ?? '') - clockAhead(answer, at);
  return { text, goodUntil: (Number.isNaN(expires) ? at + ASSUMED_LIFE : expires) - MARGIN };
}

/**
 * Whether an error is of the manager's kind, `{"error": {"code": 401, "message": "…"}}`. A UniFi console's is too, but for
 * its one word: no credentials would mend that.
 */
function isOwnError(body: WireObject): boolean {
  const error = wireObject(body.error);
  return (
    wireInteger(error?.code) !== undefined && !['Unauthorized', 'Forbidden'].includes(plainText(error?.message) ?? '')
  );
}

/** `401 Token has expired`: the manager's own words where it has some. */
export function npmWords(answer: HttpsAnswer): string {
  const read = jsonBody(answer);
  const error = read.kind === 'json' ? wireObject(wireObject(read.value)?.error) : undefined;
  return `${answer.status} ${plainText(error?.message) ?? answer.reason}`.trim();
}

export function notNpm(answer: HttpsAnswer, { url }: NpmSettings, path: string): string {
  const read = jsonBody(answer);
  if (read.kind === 'other' && read.isCut) return `${url} answers ${path} with ${read.what}; ${CUT}`;
  const what = read.kind === 'other' ? read.what : 'JSON of another kind';
  // The words of another product would run together with ours.
  const words = answer.status === 200 ? what : `${`${answer.status} ${answer.reason}`.trim()} with ${what}`;
  return `${url} answers, but is not Nginx Proxy Manager's API: ${words} at ${path}; url must lead to its admin page (port 81 by default), with no login page in between`;
}

function redirected({ status }: HttpsAnswer, { url }: NpmSettings, target: string): string {
  return `${url} redirects the login (${status} to ${target}); give the address that Nginx Proxy Manager's admin page answers at`;
}

function secondFactor({ url, identity }: NpmSettings): string {
  return `${url} asks ${identity} for a second factor, which a program cannot give; create a user without two-factor authentication for it that may view all items, and name it as identity`;
}

function refused(answer: HttpsAnswer, { url, identity }: NpmSettings): string {
  const words = npmWords(answer);
  if (answer.status >= 500) return `${url} fails at the login: ${words}; see the log of Nginx Proxy Manager`;
  return `${url} refuses the login of ${identity}: ${words}; check identity, and the secret that secretEnv or secretFile names`;
}
