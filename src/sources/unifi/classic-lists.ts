import type { UnifiSettings } from '../../domain/settings.js';
import type { PassAsk } from '../service-pass.js';
import { PassFailure } from '../service-pass.js';
import type { HttpsAnswer } from '../transport/https.js';
import { plainText } from '../understood.js';
import { wireObject, wireObjects } from '../wire-values.js';
import type { UnifiClient } from './client.js';
import { errorCode, notUnifi, objectOf, SEE_LOG, unifiWords } from './words.js';

/** What came of asking for one of a site's lists. `refused`: not for this user, or not in this version. */
export type ClassicList =
  | { readonly kind: 'rows'; readonly rows: readonly unknown[]; readonly answer: HttpsAnswer }
  | { readonly kind: 'refused'; readonly answer: HttpsAnswer };

export async function classicList(
  client: UnifiClient,
  { url, site }: UnifiSettings,
  list: string,
  ask: PassAsk,
): Promise<ClassicList> {
  const path = pathOf(site, list);
  const answer = await client.get(path, ask);
  const body = objectOf(answer);
  if (body === undefined && answer.status < 400) throw new PassFailure(notUnifi(answer, url, path));
  if (answer.status === 200 && wireObject(body?.meta)?.rc === 'ok' && Array.isArray(body?.data)) {
    return { kind: 'rows', rows: body.data, answer };
  }
  return { kind: 'refused', answer };
}

function pathOf(site: string, list: string): string {
  return `/api/s/${encodeURIComponent(site)}/${list}`;
}

/** Why a list that was refused ends the pass; undefined: it is only this list that is not to be had. */
export async function refusal(
  client: UnifiClient,
  settings: UnifiSettings,
  list: string,
  answer: HttpsAnswer,
  ask: PassAsk,
): Promise<string | undefined> {
  const { url, site } = settings;
  const words = unifiWords(answer);
  const code = errorCode(answer) ?? '';
  if (/NoSiteContext|UnknownSite/.test(code)) return unknownSite(client, settings, words, ask);
  if (answer.status === 401)
    return `${url} does not take its own new session at ${list}: ${words}; is its clock right, is a load balancer before it?`;
  if (answer.status === 403 || answer.status === 404 || code === 'api.err.NoPermission') return undefined;
  if (answer.status === 200 && code === '') return notUnifi(answer, url, pathOf(site, list));
  return `${url} fails at ${list} of site ${site}: ${words}; ${SEE_LOG}`;
}

/** A site goes by its internal name, which no page shows but its address: the answer names those there are. */
async function unknownSite(client: UnifiClient, { url, site }: UnifiSettings, words: string, ask: PassAsk) {
  const rows = wireObjects(objectOf(await client.get('/api/self/sites', ask))?.data) ?? [];
  return siteReason(url, site, words, siteNames(rows, 'name', 'desc'));
}

export function siteReason(url: string, site: string, words: string, names: string): string {
  const there = names === '' ? 'the user sees none' : `there are ${names}`;
  return `${url} has no site ${site} (${words}): ${there}; site takes the internal name`;
}

/** `default (Main office), abc123 (Branch)`. */
export function siteNames(rows: readonly Readonly<Record<string, unknown>>[], name: string, title: string): string {
  return rows
    .map((row) => ({ internal: plainText(row[name]), shown: plainText(row[title]) }))
    .map(({ internal, shown }) => (internal === null ? shown : shown === null ? internal : `${internal} (${shown})`))
    .filter((text) => text !== null)
    .join(', ');
}
