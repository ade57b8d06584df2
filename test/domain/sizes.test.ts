import { describe, expect, it } from 'vitest';
import { sameSize, sizeText } from '../../src/domain/compare/sizes.js';

const MiB = 1_024 ** 2;
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

describe('the size that a config says', () => {
  it.each([
    [8 * GiB, '8 GiB (8192 MiB)'],
    [GiB, '1 GiB (1024 MiB)'],
    [2_252 * MiB, '2252 MiB (2.2 GiB)'],
    [1_536 * MiB, '1536 MiB (1.5 GiB)'],
    [512 * MiB, '512 MiB'],
    [0, '0 bytes'],
    [1_000, '1000 bytes'],
    [4 * MiB + 512, '4194816 bytes (4 MiB)'],
    [2 * 1_000 ** 3, '2000000000 bytes (1.86 GiB)'],
  ])('%d bytes read %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});
