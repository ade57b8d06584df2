import { describe, expect, it } from 'vitest';
import { neighbourTable } from '../../../src/sources/hosts/parse/neighbours.js';
import { describeRecordings, recording } from '../recordings.js';

const told = (text: string) => {
  const parsed = neighbourTable('pve1', text);
  if (parsed.kind === 'unreadable') return parsed.words;
  const rows = parsed.value.rows.map(({ body, answered }) =>
    [
      `${body.device}/${body.address}`,
      body.mac,
      answered && 'answered',
      body.router && 'router',
      body.secondHand && 'second-hand',
    ]
      .filter((word) => word !== false)
      .join(' '),
  );
  return { rows, unreadable: parsed.value.unreadable };
};
const rows = (...list: object[]) => told(JSON.stringify(list));

describeRecordings('a neighbour table of a real kernel', () => {
  const of = (command: string) =>
    told(String((recording('ip-neigh/iproute2-6.1.0-raw-stdout.json') as Record<string, unknown>)[command]));
  const expected = {
    rows: [
      'vmbr0/192.168.10.22 bc:24:11:aa:00:22',
      'vmbr0/192.168.10.21 bc:24:11:aa:00:21',
      'vmbr0/192.168.10.24 bc:24:11:aa:00:24',
      'vmbr0/192.168.10.20 bc:24:11:aa:00:20 answered',
      'vmbr0/192.168.10.27 bc:24:11:aa:00:27 second-hand',
      'vmbr1/192.168.20.20 bc:24:11:aa:00:20',
      'vmbr0/192.168.10.23 bc:24:11:aa:00:23',
      'vmbr0/2001:db8:10::20 bc:24:11:aa:00:20 answered router',
      'vmbr0/fe80::be24:11ff:feaa:20 bc:24:11:aa:00:20 router',
    ],
    unreadable: 0,
  };

  it('names each machine that is known by its MAC, and says which answered for itself', () => {
    expect(of('ip -j neigh')).toEqual(expected);
  });

  it('says the same with statistics', () => {
    expect(of('ip -j -s neigh')).toEqual(expected);
  });

  it('has nobody behind a proxy entry, and nobody in an empty table', () => {
    expect([of('ip -j neigh show proxy'), of('ip -j neigh show dev veth0')]).toEqual(
      [0, 0].map((unreadable) => ({ rows: [], unreadable })),
    );
  });

  it('has no multicast groups, which are only ever computed', () => {
    expect(JSON.stringify(of('ip -j neigh show nud all'))).not.toContain('33:33');
  });

  it('without the interface (a version that leaves it out) is no row that can be kept', () => {
    expect(of('ip -j -p neigh show dev vmbr1')).toEqual({ rows: [], unreadable: 1 });
  });

  it('in plain text (a busybox, say) is said to be no JSON', () => {
    expect(of('ip neigh (no -j)')).toBe(
      'its answer is no JSON and begins with "192.168.10.25 dev vmbr0 FAILED \\n192.168."',
    );
  });
});

describe('a neighbour', () => {
  const row = { dst: '10.0.0.5', dev: 'vmbr0', lladdr: 'BC:24:11:00:00:01', state: ['REACHABLE'] };

  it('that somebody answers for by proxy is second-hand', () => {
    expect(rows({ ...row, proxy: null })).toEqual({
      rows: ['vmbr0/10.0.0.5 bc:24:11:00:00:01 second-hand'],
      unreadable: 0,
    });
  });

  it('at the end of a tunnel, or on InfiniBand, has no MAC and is left out', () => {
    expect(
      rows(
        { ...row, lladdr: '10.0.0.9' },
        { ...row, lladdr: '80:00:00:48:fe:80:00:00:00:00:00:00:f4:52:14:03:00:2d:57:01' },
      ),
    ).toEqual({ rows: [], unreadable: 0 });
  });

  it('that is listed twice is kept as it answered', () => {
    expect(rows(row, { ...row, state: ['STALE'] })).toEqual({
      rows: ['vmbr0/10.0.0.5 bc:24:11:00:00:01 answered'],
      unreadable: 0,
    });
  });

  it('without an address is counted', () => {
    expect(rows({ ...row, dst: 'somewhere' }, { dev: 'vmbr0' })).toEqual({ rows: [], unreadable: 2 });
  });
});

it.each([
  ['', 'it said nothing'],
  ['[{"dst":"10.0', 'its answer breaks off after 13 characters: it is not whole JSON'],
  ['{"data":[]}', 'its answer is JSON, but no list of neighbours'],
])('%j is no table', (text, words) => {
  expect(told(text)).toBe(words);
});
