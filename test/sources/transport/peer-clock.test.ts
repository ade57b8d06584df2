import { describe, expect, it } from 'vitest';
import { clockAhead, retryAfter } from '../../../src/sources/transport/peer-clock.js';

const T0 = Date.parse('2026-11-20T12:00:00Z');
const dated = (ms: number) => ({ headers: { date: new Date(T0 + ms).toUTCString() } });

describe('how far a peer’s clock is ahead', () => {
  it.each([
    [0, 0],
    [4_000, 0],
    [-4_000, 0],
    [6_000, 10_000],
    [61_000, 70_000],
    [3_600_000, 3_600_000],
    [-6_000, -0],
    [-61_000, -60_000],
  ])('%i ms is taken for %i: nothing within the blur of the header, else never too little', (ahead, taken) => {
    expect(clockAhead(dated(ahead), T0) + 0).toBe(taken + 0);
  });

  it('is nothing where the peer does not say', () => {
    expect(clockAhead({ headers: {} }, T0)).toBe(0);
    expect(clockAhead({ headers: { date: 'yesterday' } }, T0)).toBe(0);
  });
});

describe('how long a peer asks to be left alone', () => {
  it.each([
    ['30', 30_000],
    [new Date(T0 + 90_000).toUTCString(), 90_000],
    [new Date(T0 - 90_000).toUTCString(), undefined],
    ['soon', undefined],
    [undefined, undefined],
  ])('%s', (said, ms) => {
    expect(retryAfter({ headers: { 'retry-after': said } }, T0)).toBe(ms);
  });
});
