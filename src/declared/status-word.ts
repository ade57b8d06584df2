import type { DeclaredStatus } from '../domain/declaration.js';
import { emojiOf, plainText, saysNothing } from './markdown-cell.js';

/** Phrases that clearly mean something. What is not here is unclear: listed, never compared. */
const MEANINGS: Readonly<Record<Exclude<DeclaredStatus, 'unclear'>, readonly string[]>> = {
  running: ['running', 'active', 'online', 'up', 'on', 'started', 'live', 'powered on', 'poweredon'],
  stopped: [
    'stopped',
    'off',
    'offline',
    'down',
    'halted',
    'inactive',
    'shutdown',
    'shut down',
    'powered off',
    'poweredoff',
    'not running',
    'not started',
  ],
  planned: ['planned', 'reserved', 'staged', 'tbd', 'tba', 'pending', 'proposed', 'future', 'to be created', 'todo'],
  retired: ['retired', 'decommissioned', 'deprecated', 'removed', 'deleted', 'destroyed', 'archived', 'obsolete'],
};

const MEANING_OF: ReadonlyMap<string, DeclaredStatus> = new Map(
  (Object.keys(MEANINGS) as (keyof typeof MEANINGS)[]).flatMap((means) =>
    MEANINGS[means].map((phrase) => [phrase, means] as const),
  ),
);

const EMOJI_MEANING: ReadonlyMap<string, DeclaredStatus> = new Map([
  ['✅', 'running'],
  ['🟢', 'running'],
  ['✔', 'running'],
  ['❌', 'stopped'],
  ['🔴', 'stopped'],
  ['⛔', 'stopped'],
  ['🛑', 'stopped'],
  ['⏹', 'stopped'],
]);

/** Words that mean something alone, and something else at the head of a phrase: `on hold`, `up for removal`, `live stream`. */
const ALONE_ONLY = new Set(['on', 'off', 'up', 'down', 'live', 'active', 'inactive', 'future', 'pending', 'started']);

const NEGATIONS = /\b(?:not|no|never|was|were|will|should|to be|soon|until|previously|formerly|ex)\b/;

export interface StatusWord {
  readonly word: string;
  readonly means: DeclaredStatus;
}

/** What a status cell says; null where it says nothing, undefined where it is garbled. */
export function statusWord(cell: string): StatusWord | null | undefined {
  const text = plainText(cell);
  const emoji = emojiOf(cell);
  const pictured = [...new Set(emoji.map((picture) => EMOJI_MEANING.get(picture) ?? 'unclear'))];
  const byPicture = pictured.length === 1 ? pictured[0] : undefined;
  if (text === '' && emoji.length > 0) return { word: emoji.join(''), means: byPicture ?? 'unclear' };
  const spoken = meaningOf(text);
  if (spoken === 'unclear' && saysNothing(text)) return null;
  if (!/\p{L}/u.test(text)) return undefined;
  // A picture that says the opposite makes the word doubtful.
  const contradicts = byPicture !== undefined && byPicture !== 'unclear' && isPower(spoken) && byPicture !== spoken;
  return { word: text, means: contradicts ? 'unclear' : spoken };
}

function isPower(means: DeclaredStatus): boolean {
  return means === 'running' || means === 'stopped';
}

/** A whole phrase, or a first word that nothing after it takes back. */
function meaningOf(text: string): DeclaredStatus {
  const phrase = text
    .toLowerCase()
    .replace(/\([^)]*\)/g, ' ')
    .replace(/[^\p{L}\p{N} ]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const whole = MEANING_OF.get(phrase);
  if (whole !== undefined) return whole;
  const words = phrase.split(' ');
  const first = MEANING_OF.get(words[0] ?? '');
  if (first === undefined || ALONE_ONLY.has(words[0] ?? '') || NEGATIONS.test(phrase)) return 'unclear';
  const others = words.slice(1).map((word) => MEANING_OF.get(word));
  return others.every((means) => means === undefined || means === first) ? first : 'unclear';
}
