import type { HttpsAnswer } from '../transport/https.js';
import { CUT, elsewhere, jsonBody } from '../transport/json-body.js';
import { plainText } from '../understood.js';
import { type WireObject, wireInteger, wireObject } from '../wire-values.js';

/** A body as an object; undefined where it is none. */
export function objectOf(answer: HttpsAnswer): WireObject | undefined {
  const read = jsonBody(answer);
  return read.kind === 'json' ? wireObject(read.value) : undefined;
}

/** The word by which a program knows an error: `api.err.Invalid`, `AUTHENTICATION_FAILED_LIMIT_REACHED`. */
export function errorCode(answer: HttpsAnswer): string | undefined {
  const body = objectOf(answer);
  return (
    plainText(wireObject(body?.meta)?.msg) ??
    plainText(body?.code) ??
    plainText(wireObject(body?.error)?.message) ??
    undefined
  );
}

/**
 * Whether an error is of a controller's kind: `{"meta": {"rc": "error"}}`, a console's `{"code": "…"}`, the integration
 * API's `{"statusCode": 401}`, or the bare word of the door before them. Only then does a refusal speak of credentials.
 */
export function isOwnError(answer: HttpsAnswer): boolean {
  const body = objectOf(answer);
  if (wireObject(body?.meta)?.rc === 'error' || typeof body?.code === 'string') return true;
  return wireInteger(body?.statusCode) !== undefined || wireObject(body?.error)?.message === 'Unauthorized';
}

/** `403 api.err.NoPermission`: the status, the error's code and its words, where it has some. */
export function unifiWords(answer: HttpsAnswer): string {
  const code = errorCode(answer);
  const message = plainText(objectOf(answer)?.message);
  if (code === undefined && message === null) return `${answer.status} ${answer.reason}`.trim();
  return [answer.status, code, message].filter((word) => word !== undefined && word !== null).join(' ');
}

/** A list that is not to be had, and what to do about it. */
export function notRead(what: string, answer: HttpsAnswer): string {
  const words = unifiWords(answer);
  return answer.status === 404
    ? `this version has no list of ${what} (${words}); what was known of them stays`
    : `the ${what} may not be read (${words}); what was known of them stays. Let the user or key view the site`;
}

/** What is left to do about an error that it does not explain. */
export const SEE_LOG = 'it may be starting, else see the log of the Network application';

/** What an answer that is no UniFi's is taken for; a console shows pages of HTML while it starts. */
export function notUnifi(answer: HttpsAnswer, url: string, path: string): string {
  const read = jsonBody(answer);
  const target = elsewhere(answer);
  if (target !== undefined)
    return `${url} redirects ${path} (${answer.status} to ${target}); give the address that the controller answers at`;
  if (read.kind === 'other' && read.isCut) return `${url} answers ${path} with ${read.what}; ${CUT}`;
  const what = read.kind === 'other' ? read.what : 'JSON of another kind';
  // While it starts a console sends pages; its JSON it sends as it always does.
  const advice =
    read.kind === 'other' && (answer.status === 200 || answer.status >= 500)
      ? 'it may be starting, else check url, and whether a login page stands in between'
      : 'something else answers there: check url and its port';
  const words = answer.status === 200 ? what : `${answer.status} ${answer.reason} with ${what}`;
  return `${url} answers, but not as UniFi does: ${words} at ${path}; ${advice}`;
}
