import { randomUUID } from 'node:crypto';
import type { NotifyTarget } from '../domain/notify.js';
import { isoTime, withIsoTimes } from '../domain/time.js';
import type { Message } from '../store/delivery-words.js';
import type { LogEvent } from '../store/store.js';
import { counted, linesOf, type Messages, worthReading } from './text.js';
import { driftWord, hidesPart, severityOf, shownTo } from './told.js';

export interface ComposeNeeds {
  /** A cursor as the outside knows it. */
  cursorText(cursor: bigint): string;
  /** What findings say of themselves now, by id. */
  findingMessages(ids: readonly string[]): Promise<Messages>;
}

/** Not a topic of the log: a message that holds several events, and one that somebody sent to try the way. */
export const DIGEST_TOPIC = 'digest';
export const TEST_TOPIC = 'notification.test';

/** How many events one message holds at most: all of them stand in JSON; in a text they are counted. */
export function mostEvents(target: NotifyTarget): number {
  return target.kind === 'webhook' && target.format === 'json' ? 500 : 5_000;
}

/** One event, or several as a digest, in the target's format. The id is new: keep the message, and send it as it is. */
export async function compose(
  target: NotifyTarget,
  events: readonly LogEvent[],
  needs: ComposeNeeds,
): Promise<Message> {
  const shown = events.map((event) => shownTo(target, event));
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a message needs an event');
  const topic = shown.length === 1 ? first.topic : DIGEST_TOPIC;
  return {
    id: randomUUID(),
    topic,
    body: await bodyOf(target, shown, needs),
    events: shown.length,
    upto: last.cursor,
  };
}

async function bodyOf(target: NotifyTarget, events: readonly LogEvent[], needs: ComposeNeeds): Promise<string> {
  const isJson = target.kind === 'webhook' && target.format === 'json';
  if (isJson) return JSON.stringify(jsonOf(events, needs));
  const lines = linesOf(events, await messagesFor(target, events, needs));
  return textBody(target, lines);
}

/** The same words as chat or mail. A mail's subject is its first line. */
function textBody(target: NotifyTarget, lines: readonly string[]): string {
  if (target.kind === 'mail')
    return JSON.stringify({ subject: `sankofa-it: ${lines[0]}`.slice(0, 180), text: lines.join('\n') });
  return JSON.stringify({ text: lines.map(slackSafe).join('\n') });
}

/** https://api.slack.com/reference/surfaces/formatting#escaping: three characters would be markup. */
function slackSafe(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function messagesFor(
  target: NotifyTarget,
  events: readonly LogEvent[],
  { findingMessages }: ComposeNeeds,
): Promise<Messages> {
  // What a finding says may name a guest that this tenant may not see.
  const words = worthReading(events).flatMap((event) => driftWord(event) ?? []);
  const ids = words.filter((word) => !hidesPart(target.tenant, word)).map(({ findingId }) => findingId);
  return ids.length === 0 ? new Map() : findingMessages([...new Set(ids)]);
}

function jsonOf(events: readonly LogEvent[], needs: ComposeNeeds): unknown {
  const all = events.map((event) => eventJson(event, needs));
  const [first, last] = [all[0], all.at(-1)];
  if (all.length === 1 || first === undefined || last === undefined) return first;
  return {
    id: last.id,
    topic: DIGEST_TOPIC,
    at: last.at,
    subject: null,
    payload: {
      count: all.length,
      from: first.at,
      to: last.at,
      byTopic: Object.fromEntries(counted(events.map(({ topic }) => topic))),
      bySeverity: Object.fromEntries(counted(events.map(severityOf))),
      events: all,
    },
  };
}

/** An event as webhooks and the Redis stream tell it: the log keeps moments as numbers, whoever reads it elsewhere gets text. */
export function eventJson(
  { cursor, topic, at, subject, payload }: LogEvent,
  { cursorText }: Pick<ComposeNeeds, 'cursorText'>,
) {
  return { id: cursorText(cursor), topic, at: isoTime(at), subject, payload: withIsoTimes(payload) };
}

/** What a test call says. It is no event: it has no place in the log. */
export function testMessage(target: NotifyTarget, at: number, who: string): Message {
  const words = `A test of sankofa-it, asked for by ${who}: the way to ${target.id} is open`;
  const body =
    target.kind === 'webhook' && target.format === 'json'
      ? JSON.stringify({
          id: null,
          topic: TEST_TOPIC,
          at: isoTime(at),
          subject: { kind: 'NOTIFICATION_TARGET', id: target.id },
          payload: { message: words },
        })
      : textBody(target, [words]);
  return { id: randomUUID(), topic: TEST_TOPIC, body, events: 0, upto: 0n };
}
