import { describe, expect, it } from 'vitest';
import { partTroubles } from '../../src/domain/part-troubles.js';
import type { InventoryView, PartState } from '../../src/domain/view.js';
import { aView, THEN } from '../testkit/view.js';

const PAGE = 'it answers, but is not a Proxmox API: an HTML page';

function failing(view: InventoryView, part: 'config' | 'addresses', reasons: Readonly<Record<number, string>>) {
  const guests = [...view.guests].map(([id, guest]) => {
    const reason = reasons[guest.vmid];
    if (reason === undefined) return [id, guest] as const;
    const state: PartState = { state: 'failed', askedAt: null, attemptedAt: THEN, failures: 1, reason };
    return [id, { ...guest, parts: { ...guest.parts, [part]: state } }] as const;
  });
  return { ...view, guests: new Map(guests) };
}

describe('what keeps guests from being read', () => {
  const view = aView({ guests: [100, 101, 102, 103].map((vmid) => ({ vmid })) });
  const texts = (of: InventoryView) => partTroubles(of).map(({ text }) => text);

  it('is nothing where all was read', () => {
    expect(texts(view)).toEqual([]);
  });

  it('is one sentence a reason, however many it touches', () => {
    const all = failing(view, 'config', { 100: PAGE, 101: PAGE, 102: PAGE, 103: PAGE });
    expect(texts(all)).toEqual([
      `the config could not be read of 4 guests (main/100, main/101, main/102 and 1 more): ${PAGE}`,
    ]);
  });

  it('is silence by the nodes that the guests live on: the address that was asked may answer all else', () => {
    const silence =
      'https://10.0.0.1:8006: no answer within 10 s: it took the connection and says nothing; does it hang?';
    const on = (...nodes: readonly string[]) => {
      const guests = nodes.map((node, i) => ({ vmid: 100 + i, node }));
      return texts(failing(aView({ guests }), 'config', Object.fromEntries(guests.map(({ vmid }) => [vmid, silence]))));
    };
    expect(on('pve2', 'pve2')).toEqual([
      `the config could not be read of 2 guests (main/100, main/101): ${silence}; such questions are passed on to the guests' node: is it pve2?`,
    ]);
    expect(on('pve3', 'pve1', 'pve2')[0]).toMatch(/: is it pve1, pve2 or pve3\?$/);
    expect(on('pve4', 'pve1', 'pve2', 'pve3')[0]).toMatch(/: is it one of 4\?$/);
  });

  it('is a node that is offline, by its name', () => {
    const [node] = view.nodes.values();
    if (node === undefined) throw new Error('the view has no node');
    const nodes = new Map([[node.id, { ...node, row: { ...node.row, status: 'OFFLINE' } } as const]]);
    expect(partTroubles({ ...view, nodes })).toEqual([
      {
        cluster: 'main',
        key: `${node.id} offline`,
        text: `node ${node.name} is offline, as its cluster says: what was last known of its guests stays; is it up, and is its network?`,
      },
    ]);
  });

  it('tells dead agents, refusals without the guest that each names, and hidden guests', () => {
    const refused = (vmid: number) => `403 Permission check failed (/vms/${vmid}, VM.Audit)`;
    const some = failing(view, 'config', { 102: refused(102), 103: refused(103) });
    expect(texts(failing(some, 'addresses', { 100: '500 QEMU guest agent is not running' }))).toEqual([
      'the addresses could not be read of 1 guest (main/100): 500 QEMU guest agent is not running',
      'the config could not be read of 2 guests (main/102, main/103): 403 Permission check failed (/vms/…, VM.Audit)',
    ]);
    expect(texts(aView({ guests: [{ vmid: 100, hidden: true }] }))).toEqual([
      'no longer listed, though nothing proves them gone: 1 guest (main/100); the token may lack VM.Audit on them',
    ]);
  });
});
