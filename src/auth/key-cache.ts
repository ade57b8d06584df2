import { DomainError } from '../domain/errors.js';
import { MINUTE, SECOND } from '../domain/time.js';

/** What the door must know of a key. The rows of the store have this shape; auth/ knows no store. */
export interface KeyRecord {
  readonly prefix: string;
  /** Hex SHA-256 of the whole key. */
  readonly hash: string;
  readonly name: string;
  readonly person: string;
  readonly roles: readonly string[];
  /** null: all tenants that the roles allow. */
  readonly tenants: readonly string[] | null;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export interface Needs {
  /** The key look-up that app.ts hands in. */
  readonly keyByPrefix: (prefix: string) => Promise<KeyRecord | undefined>;
  readonly now: () => number;
}

interface Entry<T> {
  readonly record: T;
  readonly checkedAt: number;
}

/** A revocation that no announcement brought (a lost connection) is known after this long at the latest. */
const FRESH = 5 * SECOND;
/**
 * While the database does not answer, a key that was good stays good for this long: questions about now need no
 * database, and a key cannot be revoked in one that is down. After it the door closes.
 */
const GRACE = 5 * MINUTE;
const MOST_KEYS = 2_000;
const MOST_STRANGERS = 1_000;
const LOOKUP_TIMEOUT = 5 * SECOND;
/** Unknown keys that may be looked up per second, over all callers: guessing must not reach the database. */
const STRANGERS_PER_SECOND = 100;

/** Keys by prefix as last seen in the store, bounded in number and in age. Strangers cannot push known keys out. */
export function keyCache({ keyByPrefix, now }: Needs) {
  const known = new Map<string, Entry<KeyRecord>>();
  const strangers = new Map<string, Entry<undefined>>();
  const asking = new Map<string, Promise<KeyRecord | undefined>>();
  const limit = bucket(STRANGERS_PER_SECOND, now);
  /** Counts what was forgotten: an answer asked for before is used once, and not kept. */
  let epoch = 0;

  async function ask(prefix: string): Promise<KeyRecord | undefined> {
    const before = known.get(prefix);
    if (before === undefined && !limit.take()) {
      throw new DomainError('RATE_LIMITED', 'too many unknown keys at once; try again in a second');
    }
    const asked = epoch;
    try {
      const record = await withTimeout(keyByPrefix(prefix));
      if (before === undefined && record !== undefined) limit.giveBack();
      if (asked === epoch) keep(prefix, record);
      return record;
    } catch (cause) {
      if (before !== undefined && asked === epoch && now() - before.checkedAt < GRACE) return before.record;
      throw new DomainError('UNAVAILABLE', 'keys cannot be checked at the moment; try again shortly', { cause });
    }
  }

  function keep(prefix: string, record: KeyRecord | undefined): void {
    known.delete(prefix);
    if (record === undefined) put(strangers, prefix, { record, checkedAt: now() }, MOST_STRANGERS);
    else put(known, prefix, { record, checkedAt: now() }, MOST_KEYS);
  }

  return {
    /** The key of that prefix; undefined: there is none. Throws UNAVAILABLE or RATE_LIMITED. */
    find(prefix: string): Promise<KeyRecord | undefined> {
      const entry = known.get(prefix) ?? strangers.get(prefix);
      if (entry !== undefined && now() - entry.checkedAt < FRESH) return Promise.resolve(entry.record);
      const running = asking.get(prefix);
      if (running !== undefined) return running;
      const started = ask(prefix).finally(() => {
        if (asking.get(prefix) === started) asking.delete(prefix);
      });
      asking.set(prefix, started);
      return started;
    },
    /** The next call asks the store again, also where an answer from before is still under way. */
    forget(prefix?: string): void {
      epoch += 1;
      for (const map of [known, strangers, asking]) {
        if (prefix === undefined) map.clear();
        else map.delete(prefix);
      }
    },
  };
}

/** Puts last, and drops the longest unchecked one beyond `most`. */
function put<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > most && !oldest.done) map.delete(oldest.value);
}

function withTimeout<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the key look-up timed out')), LOOKUP_TIMEOUT);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function bucket(perSecond: number, now: () => number) {
  let left = perSecond;
  let filledAt = now();
  return {
    take(): boolean {
      const at = now();
      left = Math.min(perSecond, left + (Math.max(0, at - filledAt) * perSecond) / SECOND);
      filledAt = at;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    giveBack(): void {
      left += 1;
    },
  };
}
