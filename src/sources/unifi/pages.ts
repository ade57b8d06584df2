import { type PassAsk, PassFailure } from '../service-pass.js';
import type { HttpsAnswer } from '../transport/https.js';
import { type WireObject, wireInteger, wireObject, wireText } from '../wire-values.js';
import type { UnifiClient } from './client.js';
import { isOwnError, notUnifi, objectOf, SEE_LOG, unifiWords } from './words.js';

const LIMIT = 200;
/** A list that grows for ever is not one. */
const MOST_PAGES = 1_000;

/** A list that was read page by page; `refused`: not for this key, or not in this version. */
export type Pages =
  | {
      readonly kind: 'rows';
      readonly rows: readonly WireObject[];
      /** It did not change while it was read. */
      readonly isWhole: boolean;
      readonly answer: HttpsAnswer;
    }
  | { readonly kind: 'refused'; readonly answer: HttpsAnswer };

export const API = '/integration/v1';

/** Reads a list of the integration API to its end. Its order is not promised: rows are told apart by id. */
export async function allPages(client: UnifiClient, url: string, path: string, ask: PassAsk): Promise<Pages> {
  const rows = new Map<string, WireObject>();
  let offset = 0;
  for (let turn = 0; turn < MOST_PAGES; turn++) {
    const answer = await client.get(`${API}${path}?offset=${offset}&limit=${LIMIT}`, ask);
    const body = objectOf(answer);
    if (answer.status !== 200) return { kind: 'refused', answer };
    if (!Array.isArray(body?.data)) throw new PassFailure(notUnifi(answer, url, `${API}${path}`));
    for (const raw of body.data) {
      const row = wireObject(raw);
      if (row !== undefined) rows.set(wireText(row.id) ?? `row ${rows.size}`, row);
    }
    offset += body.data.length;
    const total = wireInteger(body.totalCount) ?? offset;
    if (body.data.length === 0 || offset >= total) {
      return { kind: 'rows', rows: [...rows.values()], isWhole: rows.size >= total, answer };
    }
  }
  throw new PassFailure(`${url} has no end of ${path}: more than ${MOST_PAGES} pages`);
}

/** Why a refused list ends the pass; undefined: it is only this list that is not to be had. */
export function keyRefusal(answer: HttpsAnswer, url: string, path: string): string | undefined {
  const words = unifiWords(answer);
  if (answer.status === 403 || answer.status === 404) return undefined;
  if (answer.status === 401 && isOwnError(answer)) {
    return `${url} refuses the API key: ${words}; make one in the Network application under Integrations, and put it where apiKeyEnv or apiKeyFile of this source says`;
  }
  if (answer.status === 429)
    return `${url} takes no more requests for now, asked for ${API}${path}: ${words}; it is asked again later`;
  if (answer.status < 500 && !isOwnError(answer)) return notUnifi(answer, url, `${API}${path}`);
  return `${url} fails at ${API}${path}: ${words}; ${SEE_LOG}`;
}
