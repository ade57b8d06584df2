import type { Severity } from '../domain/finding.js';
import type { LogEvent } from '../store/store.js';
import { driftWord, severityOf } from './told.js';

/** What a finding says of itself, where its reader may see all of it. */
export type Messages = ReadonlyMap<string, string>;

/** Lines that a person reads of one message; the rest is counted. */
export const LINES = 20;
const LONGEST_LINE = 500;
const GRAVEST_FIRST: readonly Severity[] = ['CRITICAL', 'WARNING', 'INFO'];

const DRIFT_WORDS: Readonly<Record<string, string>> = {
  'drift.detected': 'New drift',
  'drift.updated': 'Drift changed',
  'drift.acknowledged': 'Drift acknowledged',
  'drift.suppressed': 'Drift suppressed',
  'drift.resolved': 'Drift resolved',
  'drift.reopened': 'Drift again',
};

/** One event in one line, such as `CRITICAL New drift: 10.0.0.7 is carried by main/101 and main/102`. */
export function lineOf(event: LogEvent, messages: Messages): string {
  const drift = driftWord(event);
  const said = drift === undefined ? plainLine(event) : driftLine(event, messages);
  return printable(`${severityOf(event)} ${said}`).slice(0, LONGEST_LINE);
}

function driftLine(event: LogEvent, messages: Messages): string {
  const { findingId = '', actor = null, reason = null } = driftWord(event) ?? {};
  const what = `${DRIFT_WORDS[event.topic] ?? event.topic}: ${messages.get(findingId) ?? findingId}`;
  const who = actor === null ? '' : ` (by ${actor})`;
  return `${what}${who}${reason === null ? '' : `: ${reason}`}`;
}

function plainLine({ topic, subject, payload }: LogEvent): string {
  const { name, from, to, reason } = payload as Readonly<Record<string, unknown>>;
  const called = typeof name === 'string' && name !== '' ? ` (${name})` : '';
  const step = typeof from === 'string' || typeof to === 'string' ? `: ${from ?? 'nothing'} → ${to ?? 'nothing'}` : '';
  const why = typeof reason === 'string' ? `: ${reason}` : '';
  return `${topic} ${subject.id}${called}${step}${why}`;
}

/** `312 events: 300 drift.detected, 12 drift.resolved; 2 CRITICAL, 310 WARNING`. */
export function headline(events: readonly LogEvent[]): string {
  const byTopic = counted(events.map(({ topic }) => topic));
  const bySeverity = counted(events.map(severityOf));
  const severities = GRAVEST_FIRST.filter((one) => bySeverity.has(one)).map((one) => `${bySeverity.get(one)} ${one}`);
  const topics = [...byTopic].sort(([, a], [, b]) => b - a).map(([topic, count]) => `${count} ${topic}`);
  return `${events.length} events: ${topics.join(', ')}; ${severities.join(', ')}`;
}

/** The gravest first, as nobody reads three hundred lines. */
export function worthReading(events: readonly LogEvent[]): readonly LogEvent[] {
  const rank = (event: LogEvent) => GRAVEST_FIRST.indexOf(severityOf(event));
  return [...events].sort((a, b) => rank(a) - rank(b)).slice(0, LINES);
}

/** A headline, its gravest lines, and how many are left out. One event is its line alone. */
export function linesOf(events: readonly LogEvent[], messages: Messages): readonly string[] {
  const [only] = events;
  if (only !== undefined && events.length === 1) return [lineOf(only, messages)];
  const shown = worthReading(events);
  const rest = events.length - shown.length;
  return [
    headline(events),
    ...shown.map((event) => `• ${lineOf(event, messages)}`),
    ...(rest > 0 ? [`… and ${rest} more`] : []),
  ];
}

export function counted(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** A guest's name may hold anything: no line of it may begin another. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
