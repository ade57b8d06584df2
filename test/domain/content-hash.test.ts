import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, contentHash, sameValue } from '../../src/domain/content-hash.js';

/** The same value with the keys of every record in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

/** JSON has no -0, and Object.fromEntries would make a property of `__proto__`. */
const plain = fc
  .jsonValue({ maxDepth: 4, stringUnit: 'binary' })
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('canonical JSON', () => {
  it('is JSON of the value, whatever its texts hold', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is one text for one value, in whatever order a database returned its keys', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(canonicalJson(turned(value))).toBe(canonicalJson(value));
        expect(contentHash(turned(value))).toBe(contentHash(value));
        expect(sameValue(turned(value), value)).toBe(true);
      }),
    );
  });

  it('tells values apart as their comparison does', () => {
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(sameValue(JSON.parse(JSON.stringify(a)), b));
      }),
    );
  });

  it('leaves out what is undefined, and sorts keys by code unit', () => {
    expect(canonicalJson({ b: 1, a: undefined, C: [undefined, 'ä\n'], 2: Number.NaN })).toBe(
      '{"2":null,"C":[null,"ä\\n"],"b":1}',
    );
  });

  it('knows records of one first key and one number of keys apart', () => {
    expect(canonicalJson([{ a: 1, b: 2 }, { a: 1, c: 2 }, { a: 1 }, {}])).toBe(
      '[{"a":1,"b":2},{"a":1,"c":2},{"a":1},{}]',
    );
  });
});
