import { describe, expect, it } from 'vitest';
import { DAY, SECOND } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';

describe('a declared source', () => {
  const state = (run: Run, name: string) => run.view.declarations.find((one) => one.name === name)?.state.kind;

  it('that was never there declares nothing and covers nothing', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5'] }] });
    const at = run.estate.now;
    run.declared(TABLE, { kind: 'absent', at, reason: 'no such file' }).full();
    expect(state(run, TABLE)).toBe('never');
    expect(run.open()).toEqual([]);
  });

  it('that had rows and is gone keeps them, and is unreachable since then', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, name: 'www' });
    run.write(TABLE, [row({ vmid: 100, name: 'web' })]).full();
    const open = run.open();
    const since = run.estate.now;
    run.declared(TABLE, { kind: 'absent', at: since, reason: 'no such file' });
    run.estate.pass(SECOND);
    run.lose(TABLE).settle();
    expect(run.view.declarations[0]?.state).toMatchObject({ kind: 'unreachable', since, reason: 'it is empty' });
    expect(run.view.declarations[0]?.rows.length).toBe(1);
    expect(run.open()).toEqual(open);
    expect(run.events.length).toBe(1);
  });

  it('whose lines only moved says nothing new', () => {
    const run = new Run();
    run.write(CONF, [line('GW', '10.0.0.1')]).write(CONF, [{ ...line('GW', '10.0.0.1'), location: `${CONF}:7` }]);
    const [kept] = run.view.declarations[0]?.rows ?? [];
    expect(kept).toMatchObject({ location: `${CONF}:7`, since: { after: null, before: null } });
    expect(run.view.declared.get(`declared:${CONF}`)?.removed).toEqual([]);
  });

  it('remembers what a row said before it was edited or removed', () => {
    const run = new Run();
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101 })]);
    run.estate.pass(SECOND);
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.6'] })]);
    const removed = run.view.declared.get(`declared:${TABLE}`)?.removed.map(({ row: one }) => one.key);
    expect(removed?.toSorted()).toEqual(['100#1', '101#1']);
    expect(run.rebuilt().declared.get(`declared:${TABLE}`)?.removed.length).toBe(2);
  });

  it('keeps a row that was edited by a clock that had just been set back, also over a start', () => {
    const run = new Run();
    run.write(TABLE, [row({ vmid: 100, name: 'web' }), row({ vmid: 101 })]);
    run.estate.pass(-13 * SECOND);
    run.write(TABLE, [row({ vmid: 100, name: 'www' }), row({ vmid: 101 })]);
    const lived = run.view.declared.get(`declared:${TABLE}`);
    expect([...(lived?.rows.keys() ?? [])]).toEqual(['100#1', '101#1']);
    expect(run.rebuilt().declared.get(`declared:${TABLE}`)).toEqual(lived);
  });

  it('keeps the order of its rows over edits and restarts, for the first one has the word', () => {
    const run = new Run();
    const first = row({ vmid: 100, name: 'web' });
    const second = row({ vmid: 100, name: 'www', ordinal: 2 });
    run.write(TABLE, [first, second]);
    run.estate.pass(SECOND);
    run.write(TABLE, [{ ...first, status: { word: 'up', means: 'running' } }, second]);
    const order = (rows: readonly { key: string }[] | undefined) => rows?.map((one) => one.key);
    expect(order(run.view.declarations[0]?.rows)).toEqual(['100#1', '100#2']);
    run.estate.pass(2 * DAY);
    expect(order(run.rebuilt().declarations[0]?.rows)).toEqual(['100#1', '100#2']);
  });

  it('with a cell that cannot be read keeps its last word there, uncovered', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5'] }] });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]).full();
    run.write(TABLE, [row({ vmid: 100, unreadable: ['addresses'] })]).settle();
    expect(run.open()).toEqual([]);
    expect(run.view.declarations[0]?.rows[0]).toMatchObject({ addresses: ['10.0.0.5'], unreadable: ['addresses'] });
  });
});
