export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * What a caller shows at the door.
 * `none`: nothing. `contradiction`: two different keys, and no way to tell which one is meant.
 */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly text: string }
  | { readonly kind: 'contradiction' };

/** Reads `X-API-Key` and `Authorization: Bearer …` (RFC 6750; the scheme's case does not matter, RFC 9110 §11.1). */
export function credentialsOf(headers: Headers): Credentials {
  const shown = [headers['x-api-key'], headers.authorization];
  if (shown.some((value) => Array.isArray(value))) return { kind: 'contradiction' };
  const key = textOf(headers['x-api-key']);
  const authorization = textOf(headers.authorization);
  if (authorization === undefined) return key === undefined ? { kind: 'none' } : { kind: 'key', text: key };
  const bearer = /^bearer +(.+)$/i.exec(authorization)?.[1];
  if (bearer === undefined || (key !== undefined && key !== bearer)) return { kind: 'contradiction' };
  return { kind: 'key', text: bearer };
}

/** The same from a WebSocket's `connectionParams`: `{"authorization": "Bearer …"}` or `{"x-api-key": "…"}`, in any case. */
export function credentialsOfParams(params: unknown): Credentials {
  if (typeof params !== 'object' || params === null) return { kind: 'none' };
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(params)) {
    const lower = name.toLowerCase();
    if (lower !== 'authorization' && lower !== 'x-api-key') continue;
    const before = headers[lower];
    if (typeof value !== 'string' || (before !== undefined && before !== value)) return { kind: 'contradiction' };
    headers[lower] = value;
  }
  return credentialsOf(headers);
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
