import { DomainError } from '../domain/errors.js';
import { decodeCursor, directionWithin, encodeCursor, MAX_FIRST, type Page, type PageRequest } from '../domain/page.js';
import type { Instant } from '../domain/time.js';
import type { DeadLetter, Deliveries } from '../store/delivery-words.js';

export interface DeadLetterRecord {
  /** The id of its delivery. */
  readonly id: string;
  readonly target: string;
  readonly topic: string;
  /** How many events are in it. */
  readonly events: number;
  readonly body: string;
  readonly diedAt: Instant;
  readonly reason: string;
  readonly queuedAt: Instant | null;
  readonly replayedAt: Instant | null;
}

const ORDER = 'dead letters';

/** One page of the dead letters of these targets, oldest first. A letter is a whole message: nobody gets more than 500 at once. */
export async function letterPage(
  deliveries: Pick<Deliveries, 'letters' | 'countLetters'>,
  { targets, replayed }: { readonly targets: readonly string[]; readonly replayed: boolean },
  request: PageRequest,
): Promise<Page<DeadLetterRecord>> {
  const { backward, size, from } = directionWithin(request, MAX_FIRST);
  const beyond = from === undefined ? {} : { [backward ? 'before' : 'after']: placeOf(from, backward) };
  const found = await deliveries.letters({ targets, replayed, backward, ...beyond, limit: size + 1 });
  const hasMore = found.length > size;
  const letters = !hasMore ? found : backward ? found.slice(1) : found.slice(0, size);
  const places = new Map(letters.map(({ id, place }) => [id, String(place)]));
  return {
    items: letters.map(letterRecord),
    hasNextPage: backward ? from !== undefined : hasMore,
    hasPreviousPage: backward ? hasMore : from !== undefined,
    cursorOf: ({ id }) => encodeCursor(ORDER, [places.get(id) ?? '']),
    async totalCount() {
      const kinds = replayed ? [false, true] : [false];
      const counted = await Promise.all(kinds.map((one) => deliveries.countLetters(targets, one)));
      return counted.flatMap((counts) => [...counts.values()]).reduce((sum, count) => sum + count, 0);
    },
  };
}

export function letterRecord({ place: _, upto: __, ...letter }: DeadLetter): DeadLetterRecord {
  return letter;
}

function placeOf(cursor: string, backward: boolean): bigint {
  const field = backward ? 'before' : 'after';
  const [place] = decodeCursor(ORDER, cursor, field);
  if (typeof place === 'string' && /^\d{1,18}$/.test(place)) return BigInt(place);
  throw new DomainError('VALIDATION_ERROR', `${field} is not a cursor of this list; start without it`, {
    field: [field],
  });
}
