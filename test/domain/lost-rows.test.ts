import { describe, expect, it } from 'vitest';
import type { Declaration } from '../../src/domain/declaration.js';
import { isTooMuch, lostRows } from '../../src/domain/lost-rows.js';
import { ip } from '../testkit/view.js';

const address = (last: number): Declaration => {
  const text = `10.0.0.${last}`;
  return { kind: 'address', key: `ip/${last}`, location: 'x', address: ip(text), prefixLength: 24, label: text };
};
const vm = (id: number, ...lasts: number[]): Declaration => ({
  ...{ kind: 'vm', key: `vm/${id}`, location: 'x', vmid: id, clusterName: 'main', cluster: 'main', name: `vm-${id}` },
  ...{ node: null, status: null, interfaces: [], cpus: null, memory: null, disk: null, unreadable: [], tiedTo: null },
  addresses: lasts.map((last) => {
    return { address: ip(`10.0.0.${last}`), scope: null, reserved: false, dynamic: false, virtual: false };
  }),
});
const five = [1, 2, 3, 4, 5, 6];

describe('rows of an inventory', () => {
  it('are not lost because their addresses are given to VMs', () => {
    const before = [...five.map(address), ...five.map((id) => vm(id))];
    const now = five.map((id) => vm(id, id));
    expect(lostRows(before, now)).toEqual({ lost: 0, known: 12 });
  });

  it('are lost with their VMs, which is too much at once', () => {
    const loss = lostRows(
      five.map((id) => vm(id, id)),
      [],
    );
    expect(loss).toEqual({ lost: 6, known: 6 });
    expect(isTooMuch(loss)).toBe(true);
  });
});
