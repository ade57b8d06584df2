/**
 * JSON of which only some keys are wanted. Proxmox writes the keys of each object in another order, and JSON.parse makes a
 * new shape of nearly every one of them: a list of 15,000 guests costs it many times what the same list in one order would.
 * Here an object has its wanted keys in one order, and what is not wanted is checked and passed over.
 */
export class WantedKeys {
  readonly #isWanted: (key: string) => boolean;
  readonly #known = new Map<number, Key[]>();
  #count = 0;

  constructor(isWanted: (key: string) => boolean) {
    this.#isWanted = isWanted;
  }

  /** The key that stands in the text there; one that came before is not cut out of it again. */
  find(text: string, start: number, end: number): Key {
    const length = end - start;
    const place = (text.charCodeAt(start) * 128 + text.charCodeAt(end - 1)) * 1_024 + length;
    const alike = this.#known.get(place);
    if (alike !== undefined)
      for (const key of alike) if (key.name.length === length && text.startsWith(key.name, start)) return key;
    const name = ownText(text, start, end);
    const key = { name, order: this.#count, isWanted: name !== '__proto__' && this.#isWanted(name) };
    // What a peer makes up is not remembered for ever.
    if (this.#count < MOST_KEYS) {
      this.#count += 1;
      this.#known.set(place, [...(alike ?? []), key]);
    }
    return key;
  }
}

/** These keys and no other. */
export function wantedKeys(...names: readonly string[]): WantedKeys {
  const wanted = new Set(names);
  return new WantedKeys((key) => wanted.has(key));
}

interface Key {
  readonly name: string;
  readonly order: number;
  readonly isWanted: boolean;
}

const MOST_KEYS = 1_000;
const DEEPEST = 40;

/**
 * What JSON.parse makes of the text, but for the keys that are not wanted, at whatever depth. undefined: it is no JSON, or
 * written in a way that is left to JSON.parse (blanks between the values, escapes in keys, very deep).
 */
export function wantedJson(text: string, wanted: WantedKeys): unknown {
  try {
    return new Reader(text, wanted).whole();
  } catch {
    return undefined;
  }
}

/** V8 makes a slice of at least so many characters a window on the whole text, and keeps that alive for it. */
const WINDOW = 13;

/** A piece of the text, without escapes, that lives without it: a guest's name outlives the list it came in by months. */
function ownText(text: string, start: number, end: number): string {
  const piece = text.slice(start, end);
  return piece.length < WINDOW ? piece : (JSON.parse(`"${piece}"`) as string);
}

const UNUSUAL = new Error('no JSON, or unusual JSON');

const QUOTE = 34;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const BACKSLASH = 92;

class Reader {
  readonly #text: string;
  readonly #wanted: WantedKeys;
  #at = 0;
  #depth = 0;
  /** Keys and values of the objects that are being read, the innermost last, each by the order of its keys. */
  readonly #keys: Key[] = [];
  readonly #values: unknown[] = [];

  constructor(text: string, wanted: WantedKeys) {
    this.#text = text;
    this.#wanted = wanted;
  }

  whole(): unknown {
    const value = this.#value(true);
    if (this.#at !== this.#text.length) throw UNUSUAL;
    return value;
  }

  /** `isKept`: somebody wants it; else it is only checked. */
  #value(isKept: boolean): unknown {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string(isKept);
      case '{':
        return this.#object(isKept);
      case '[':
        return this.#list(isKept);
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number(isKept);
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw UNUSUAL;
    this.#at += word.length;
    return value;
  }

  #string(isKept: boolean): string {
    const text = this.#text;
    const start = this.#at;
    let at = start + 1;
    let isEscaped = false;
    for (let c = text.charCodeAt(at); c !== QUOTE; c = text.charCodeAt(at)) {
      // At the end of the text it is no number at all.
      if (!(c >= 32)) throw UNUSUAL;
      if (c === BACKSLASH) isEscaped = true;
      at += c === BACKSLASH ? 2 : 1;
    }
    this.#at = at + 1;
    if (isEscaped) return JSON.parse(text.slice(start, at + 1)) as string;
    return isKept ? ownText(text, start + 1, at) : '';
  }

  /** Whole numbers of up to 15 digits are added up; the others are cut out, and Number reads them as JSON.parse does. */
  #number(isKept: boolean): number {
    const text = this.#text;
    const start = this.#at;
    if (text.charCodeAt(start) === MINUS) this.#at += 1;
    const digits = this.#at;
    const isZero = text.charCodeAt(digits) === ZERO;
    const whole = this.#digits();
    if (isZero && this.#at > digits + 1) throw UNUSUAL;
    const next = text[this.#at];
    if (digits === start && this.#at - digits <= 15 && next !== '.' && next !== 'e' && next !== 'E') return whole;
    if (next === '.') {
      this.#at += 1;
      this.#digits();
    }
    const exponent = text[this.#at];
    if (exponent === 'e' || exponent === 'E') {
      const sign = text[this.#at + 1];
      this.#at += sign === '+' || sign === '-' ? 2 : 1;
      this.#digits();
    }
    return isKept ? Number(text.slice(start, this.#at)) : 0;
  }

  /** At least one digit. What they come to is exact up to 15 of them. */
  #digits(): number {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let sum = 0;
    for (let c = text.charCodeAt(at); c >= ZERO && c <= NINE; c = text.charCodeAt(at)) {
      sum = sum * 10 + (c - ZERO);
      at += 1;
    }
    if (at === start) throw UNUSUAL;
    this.#at = at;
    return sum;
  }

  #list(isKept: boolean): readonly unknown[] {
    const items: unknown[] = [];
    if (this.#isEmpty(']')) return items;
    do {
      const item = this.#value(isKept);
      if (isKept) items.push(item);
    } while (this.#goesOn(']'));
    return items;
  }

  #object(isKept: boolean): object {
    if (this.#isEmpty('}')) return {};
    const base = this.#keys.length;
    do {
      const key = this.#key();
      const isWanted = isKept && key.isWanted;
      const value = this.#value(isWanted);
      if (isWanted) this.#insert(base, key, value);
    } while (this.#goesOn('}'));
    return this.#made(base);
  }

  /** Enters a list or an object. */
  #isEmpty(end: string): boolean {
    this.#at += 1;
    if (this.#text[this.#at] === end) {
      this.#at += 1;
      return true;
    }
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw UNUSUAL;
    return false;
  }

  #goesOn(end: string): boolean {
    const c = this.#text[this.#at];
    this.#at += 1;
    if (c === ',') return true;
    if (c !== end) throw UNUSUAL;
    this.#depth -= 1;
    return false;
  }

  #key(): Key {
    const text = this.#text;
    const start = this.#at + 1;
    if (text.charCodeAt(start - 1) !== QUOTE) throw UNUSUAL;
    let at = start;
    for (let c = text.charCodeAt(at); c !== QUOTE; c = text.charCodeAt(at)) {
      if (!(c >= 32) || c === BACKSLASH) throw UNUSUAL;
      at += 1;
    }
    if (text[at + 1] !== ':') throw UNUSUAL;
    this.#at = at + 2;
    return this.#wanted.find(text, start, at);
  }

  #insert(base: number, key: Key, value: unknown): void {
    const keys = this.#keys;
    const values = this.#values;
    let at = keys.length;
    for (
      let before = keys[at - 1];
      at > base && before !== undefined && before.order > key.order;
      before = keys[at - 1]
    ) {
      keys[at] = before;
      values[at] = values[at - 1];
      at -= 1;
    }
    keys[at] = key;
    values[at] = value;
  }

  /** An object of what was inserted since `base`. Of a key that came twice the later value holds, as it was inserted behind. */
  #made(base: number): object {
    const made: Record<string, unknown> = {};
    for (let at = base; at < this.#keys.length; at++) {
      const key = this.#keys[at];
      if (key !== undefined) made[key.name] = this.#values[at];
    }
    this.#keys.length = base;
    this.#values.length = base;
    return made;
  }
}
