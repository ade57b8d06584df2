import type { HttpsAnswer } from './https.js';

/** A body as JSON, or what it is instead: `an HTML page`. `isCut`: the beginning of some JSON. */
export type JsonBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'other'; readonly what: string; readonly isCut: boolean };

/** Where an answer sends the asker, if to another address: a redirect within the same one mends nothing for us. */
export function elsewhere({
  status,
  headers: { location },
}: Pick<HttpsAnswer, 'status' | 'headers'>): string | undefined {
  if (status < 300 || status >= 400 || typeof location !== 'string') return undefined;
  return /^https?:/i.test(location) ? location : undefined;
}

/** What to do about JSON that breaks off. */
export const CUT = 'is it restarting, does something in between cut it short?';

export function jsonBody({ body, contentType }: Pick<HttpsAnswer, 'body' | 'contentType'>): JsonBody {
  try {
    return { kind: 'json', value: JSON.parse(body) };
  } catch {
    const isCut = /^\s*[{[]/.test(body);
    const what = isCut ? `JSON that breaks off after ${body.length} characters` : whatElse(body, contentType);
    return { kind: 'other', what, isCut };
  }
}

function whatElse(body: string, contentType: string): string {
  if (body.trim() === '') return 'an empty answer';
  if (contentType.includes('html') || /^\s*<(?:!doctype|html)/i.test(body)) return 'an HTML page';
  return contentType || 'no JSON';
}
