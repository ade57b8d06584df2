import { describe, expect, it } from 'vitest';
import { AskedLately } from '../../src/collection/asked-lately.js';

const MINUTE = 60_000;
const ask = (key: string) => ({ source: 'proxmox:main', part: 'vmid', key });

describe('a read that would settle a doubt', () => {
  it('is asked for at once, and ever less often while the doubt stays', () => {
    const asked = new AskedLately();
    const at: number[] = [];
    for (let second = 0; second <= 30 * 60; second++) {
      if (asked.due([ask('100')], second * 1_000).length > 0) at.push(second);
    }
    expect(at.slice(0, 6)).toEqual([0, 5, 15, 35, 75, 155]);
    expect(at.length).toBeLessThan(14);
  });

  it('is asked for at once again where the doubt was over meanwhile', () => {
    const asked = new AskedLately();
    for (let second = 0; second <= 10 * 60; second++) asked.due([ask('100')], second * 1_000);
    asked.due([ask('200')], 11 * MINUTE);
    expect(asked.due([ask('100')], 11 * MINUTE + 1_000)).toEqual([ask('100')]);
  });
});
