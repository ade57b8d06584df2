import { describe, expect, it } from 'vitest';
import { sameSize } from '../../src/domain/compare/sizes.js';

const GiB = 1_024 ** 3;

describe('a declared size', () => {
  it.each([
    [48 * GiB, 48, 'GB'],
    [48 * 1_000 ** 3, 48, 'GB'],
    [48 * GiB, 49_152, 'MB'],
    [48 * GiB, 48_000, 'MB'],
    [48 * GiB, 51_539, 'MB'],
    [4 * GiB, 4_096, 'MB'],
    [4 * GiB, 4_000, 'MB'],
  ] as const)('%d bytes are %d %s', (bytes, amount, unit) => {
    expect(sameSize(bytes, { amount, unit })).toBe(true);
  });

  it.each([
    [48 * GiB, 50, 'GB'],
    [48 * GiB, 47_000, 'MB'],
    [48 * GiB, 48_500, 'MB'],
    [4 * GiB, 0, 'MB'],
  ] as const)('%d bytes are not %d %s', (bytes, amount, unit) => {
    expect(sameSize(bytes, { amount, unit })).toBe(false);
  });
});
