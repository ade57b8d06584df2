import { CUT } from '../../transport/json-body.js';
import { wireObject, wireText } from '../../wire-values.js';
import { type WantedKeys, wantedJson } from './wanted-json.js';

/** What came over the wire, before anybody knows whether it is Proxmox that speaks. */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly contentType: string;
  readonly body: string;
}

/**
 * `refused`: Proxmox says no, in its own words. `vmidError` is its complaint about a `vmid` parameter.
 * `foreign`: this is not the Proxmox API, or only part of an answer of it.
 */
export type Answer =
  | { readonly kind: 'content'; readonly content: unknown }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly words: string;
      readonly vmidError: string | undefined;
    }
  | { readonly kind: 'foreign'; readonly words: string };

/** `wanted`: what is taken of a content's objects; undefined: all of it. */
export function readAnswer(raw: RawAnswer, wanted?: WantedKeys): Answer {
  // What is refused is told in whatever keys the call has.
  const json = parsed(raw.body, raw.status === 200 ? wanted : undefined);
  if (raw.status === 200) return readContent(raw, json);
  if (raw.status >= 300 && raw.status < 400) return foreign(`redirects (${raw.status} ${raw.reason})`);
  if (raw.status === 404 || (raw.status >= 400 && raw.status < 500 && isHtml(raw))) {
    return foreign(`${raw.status} ${raw.reason}`.trim());
  }
  const envelope = json.ok ? wireObject(json.value) : undefined;
  // Its errors have an envelope or no body at all; what has another one is an error of something else.
  if (envelope !== undefined && !('data' in envelope))
    return foreign(`${raw.status} ${raw.reason} with JSON of another kind`.trim());
  const errors = wireObject(envelope?.errors);
  return {
    kind: 'refused',
    status: raw.status,
    words: refusal(raw, wireText(envelope?.message), errors),
    vmidError: wireText(errors?.vmid),
  };
}

function readContent(raw: RawAnswer, json: ReturnType<typeof parsed>): Answer {
  if (!json.ok) {
    const begun = /^\s*[{[]/.test(raw.body);
    return begun
      ? {
          kind: 'foreign',
          words: `the answer breaks off after ${raw.body.length} characters: it is not whole JSON; ${CUT}`,
        }
      : foreign(raw.body === '' ? 'an empty answer' : isHtml(raw) ? 'an HTML page' : raw.contentType || 'no JSON');
  }
  const envelope = wireObject(json.value);
  if (envelope === undefined || !('data' in envelope)) return foreign('JSON without "data"');
  return { kind: 'content', content: envelope.data };
}

/** `message` (PVE 8.4 and later) has every line; before, the reason phrase alone has the first. Parameters follow by name. */
function refusal(raw: RawAnswer, message: string | undefined, errors: Readonly<Record<string, unknown>> | undefined) {
  const words = (message ?? raw.reason).trim().replace(/\s*\n\s*/g, ' ');
  const parameters = Object.entries(errors ?? {}).map(([name, complaint]) => `${name}: ${String(complaint).trim()}`);
  return [`${raw.status} ${words}`.trim(), ...parameters].join('; ');
}

/** What may be wrong where something else answers. */
export const ELSE_CHECK = 'check the URL and its port, and whether a proxy or a login page stands in between';

function foreign(what: string): Answer {
  return { kind: 'foreign', words: `it answers, but is not a Proxmox API: ${what}; ${ELSE_CHECK}` };
}

function isHtml(raw: RawAnswer): boolean {
  return raw.contentType.includes('html') || /^\s*<(?:!doctype|html)/i.test(raw.body);
}

function parsed(
  body: string,
  wanted: WantedKeys | undefined,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  const some = wanted === undefined ? undefined : wantedJson(body, wanted);
  if (some !== undefined) return { ok: true, value: some };
  try {
    return { ok: true, value: JSON.parse(body) };
  } catch {
    return { ok: false };
  }
}
