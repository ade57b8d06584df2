import type { HttpsAnswer } from './https.js';

/** A body as JSON, or what it is instead: `an HTML page`. */
export type JsonBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'other'; readonly what: string };

export function jsonBody({ body, contentType }: Pick<HttpsAnswer, 'body' | 'contentType'>): JsonBody {
  try {
    return { kind: 'json', value: JSON.parse(body) };
  } catch {
    return { kind: 'other', what: whatElse(body, contentType) };
  }
}

function whatElse(body: string, contentType: string): string {
  if (body.trim() === '') return 'an empty answer';
  if (contentType.includes('html') || /^\s*<(?:!doctype|html)/i.test(body)) return 'an HTML page';
  const begun = /^\s*[{[]/.test(body);
  return begun ? `JSON that breaks off after ${body.length} characters` : contentType || 'no JSON';
}
