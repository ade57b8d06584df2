import type { Instead } from './instead.js';
import { didYouMean } from './nearest-word.js';
import type { Path } from './yaml-file.js';

export type Report = (path: Path, message: string) => void;

/**
 * One map of a settings file under inspection. Each question answers undefined where the key is absent;
 * where its value is wrong it also reports, once, what is expected.
 */
export class Fields {
  readonly path: Path;
  readonly #map: Readonly<Record<string, unknown>>;
  readonly #report: Report;

  private constructor(map: Readonly<Record<string, unknown>>, path: Path, report: Report) {
    this.#map = map;
    this.path = path;
    this.#report = report;
  }

  /** undefined, reported, where the value is no map. */
  static of(value: unknown, path: Path, report: Report): Fields | undefined {
    if (isMap(value)) return new Fields(value, path, report);
    report(path, 'must be a map of keys and values');
    return undefined;
  }

  /** The same map, its doubts told to somebody else. */
  reportingTo(report: Report): Fields {
    return new Fields(this.#map, this.path, report);
  }

  has(key: string): boolean {
    return this.#map[key] !== undefined && this.#map[key] !== null;
  }

  keys(): string[] {
    return Object.keys(this.#map);
  }

  raw(key: string): unknown {
    return Object.hasOwn(this.#map, key) ? this.#map[key] : undefined;
  }

  report(key: string, message: string): void {
    this.#report([...this.path, key], message);
  }

  reportItem(key: string, index: number, message: string): void {
    this.#report([...this.path, key, index], message);
  }

  /** Reports every key that nobody knows. */
  allow(known: readonly string[], instead: Instead = {}): void {
    for (const key of this.keys()) {
      if (known.includes(key)) continue;
      const words = Object.hasOwn(instead, key) ? instead[key] : undefined;
      this.report(key, words ?? `is not a setting that exists${didYouMean(key, known)}`);
    }
  }

  /** Reports every one of these keys that is not written. */
  require(keys: readonly string[]): void {
    for (const key of keys) if (this.raw(key) === undefined) this.report(key, 'is missing');
  }

  text(key: string): string | undefined {
    const value = this.raw(key);
    const isEmpty = value === null || (typeof value === 'string' && value.trim() === '');
    return this.#expect(key, isEmpty ? 'must not be empty' : 'must be text (quote it)', (value) =>
      typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined,
    );
  }

  wholeNumber(key: string, min: number, max: number): number | undefined {
    return this.#expect(key, `must be a whole number from ${min} to ${max}`, (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
    );
  }

  flag(key: string): boolean | undefined {
    return this.#expect(key, 'must be true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  oneOf<const T extends string>(key: string, words: readonly T[]): T | undefined {
    return this.#expect(key, `must be one of ${words.join(', ')}`, (value) => words.find((word) => word === value));
  }

  list(key: string): readonly unknown[] | undefined {
    const expected = this.raw(key) === null ? 'is empty: leave it out, or write a list' : 'must be a list';
    return this.#expect(key, expected, (value) => (Array.isArray(value) ? (value as unknown[]) : undefined));
  }

  map(key: string): Fields | undefined {
    const value = this.raw(key);
    return value === undefined ? undefined : Fields.of(value, [...this.path, key], this.#report);
  }

  /** One map of a list. */
  listEntry(key: string, index: number): Fields | undefined {
    return Fields.of(this.list(key)?.[index], [...this.path, key, index], this.#report);
  }

  #expect<T>(key: string, expected: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    const answer = read(value);
    if (answer === undefined) this.report(key, expected);
    return answer;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
