import { describe, expect, it } from 'vitest';
import { HOUR } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';

const parts = (vmid: number) => [
  { part: 'config' as const, key: String(vmid) },
  { part: 'addresses' as const, key: String(vmid) },
];

/** Guest 100 exists and is not declared. */
function stray(what: object = {}): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'stray', devices: [{ shows: ['10.0.0.5'] }], ...what });
  run.write(TABLE, [row({ vmid: 900, status: 'planned' })]).full();
  expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/100@1:']);
  return run;
}

describe('who lives under a VMID', () => {
  it('is another guest by another type, another uuid, or other MACs on all of a container’s devices', () => {
    const container = { kind: 'LXC' as const, devices: [{ mac: 'bc:24:11:00:01:01' }, { mac: 'bc:24:11:00:01:02' }] };
    const others: [object, object][] = [
      [{}, { kind: 'LXC' }],
      [{}, { uuid: '11111111-0000-4000-8000-000000000000' }],
      [container, { devices: [{ mac: 'bc:24:11:00:02:01' }, { mac: 'bc:24:11:00:02:02' }] }],
    ];
    for (const [first, second] of others) {
      const run = stray(first);
      run.estate.guest({ vmid: 100, ...second });
      run.tick(parts(100));
      expect(run.open(), JSON.stringify(second)).toEqual(['GUEST_NOT_DECLARED:main/100@2:']);
      expect(run.finding('GUEST_NOT_DECLARED:main/100@1:').state).toBe('RESOLVED');
    }
  });

  it('is the same by another name, node, MAC of a QEMU device, or one MAC of several of a container', () => {
    const container = { kind: 'LXC' as const, devices: [{ mac: 'bc:24:11:00:01:01' }, { mac: 'bc:24:11:00:01:02' }] };
    const changes: [object, object][] = [
      [{}, { name: 'renamed' }],
      [{}, { node: 'pve2' }],
      [{}, { devices: [{ mac: 'bc:24:11:00:02:01' }] }],
      [container, { devices: [{ mac: 'bc:24:11:00:02:01' }, {}] }],
    ];
    for (const [first, change] of changes) {
      const run = stray(first);
      run.estate.guest({ vmid: 100, ...change });
      run.tick(parts(100)).settle();
      expect([...run.view.guests.keys()], JSON.stringify(change)).toEqual(['main/100@1']);
    }
  });

  it('is the same after a restore, which keeps uuid and MACs', () => {
    for (const kind of ['QEMU', 'LXC'] as const) {
      const run = stray({ kind });
      const before = run.estate.guest({ vmid: 100 });
      run.estate.remove(100);
      run.tick().tick();
      expect(run.open()).toEqual([]);
      run.estate.guest({ ...before, node: 'pve2' });
      run.tick().settle();
      expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/100@1:']);
      expect(run.finding('GUEST_NOT_DECLARED:main/100@1:').occurrences).toBe(2);
    }
  });

  it('does not inherit what was read of the one before', () => {
    const run = stray();
    run.estate.remove(100);
    run.tick().tick();
    run.estate.guest({ vmid: 100, kind: 'LXC', agentDead: true, devices: [{ ip4: 'dhcp' }] });
    run.tick();
    const guest = run.view.guestsByKey.get('main/100');
    expect(guest).toMatchObject({ id: 'main/100@2', interfaces: null, carried: [] });
  });

  it('gets none of the decisions about the one before', () => {
    const run = stray();
    const id = 'GUEST_NOT_DECLARED:main/100@1:';
    run.findings.set(id, { ...run.finding(id), state: 'SUPPRESSED', suppressedUntil: run.estate.now + 100 * HOUR });
    run.compare();
    expect(run.open()).toEqual([]);
    run.estate.guest({ vmid: 100, uuid: '11111111-0000-4000-8000-000000000000' });
    run.tick(parts(100));
    expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/100@2:']);
  });
});

describe('the life of a finding', () => {
  const id = 'NAME_DIFFERS:main/100@1:name';
  function differing(): Run {
    const run = new Run();
    run.estate.guest({ vmid: 100, name: 'www' });
    run.write(TABLE, [row({ vmid: 100, name: 'web' })]).full();
    expect(run.open()).toEqual([id]);
    return run;
  }
  const types = (run: Run) => run.events.map(({ type }) => type);

  it('is UPDATED when its values change, REOPENED when it was acknowledged, and silent when suppressed', () => {
    const run = differing();
    run.estate.guest({ vmid: 100, name: 'mail' });
    run.tick();
    expect(types(run)).toEqual(['OPENED', 'UPDATED']);
    run.findings.set(id, { ...run.finding(id), state: 'ACKNOWLEDGED' });
    run.tick();
    expect(run.finding(id).state).toBe('ACKNOWLEDGED');
    run.estate.guest({ vmid: 100, name: 'ftp' });
    run.tick();
    expect(types(run)).toEqual(['OPENED', 'UPDATED', 'REOPENED']);
    run.findings.set(id, { ...run.finding(id), state: 'SUPPRESSED', suppressedUntil: run.estate.now + HOUR });
    run.estate.guest({ vmid: 100, name: 'db' });
    run.tick();
    expect(run.finding(id)).toMatchObject({ state: 'SUPPRESSED', observed: 'db' });
    expect(types(run)).toEqual(['OPENED', 'UPDATED', 'REOPENED']);
    run.wait(HOUR);
    expect(types(run)).toEqual(['OPENED', 'UPDATED', 'REOPENED', 'REOPENED']);
  });

  it('comes back silently while its suppression lasts', () => {
    const run = differing();
    run.findings.set(id, { ...run.finding(id), state: 'SUPPRESSED', suppressedUntil: run.estate.now + HOUR });
    run.estate.guest({ vmid: 100, name: 'web' });
    run.tick();
    expect(run.finding(id).state).toBe('RESOLVED');
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    expect(run.finding(id)).toMatchObject({ state: 'SUPPRESSED', occurrences: 2 });
    expect(types(run)).toEqual(['OPENED', 'RESOLVED']);
  });

  it('has an onset between the last agreement and the first sight of the difference', () => {
    const run = differing();
    run.estate.guest({ vmid: 100, name: 'web' });
    run.tick();
    const agreed = run.view.clusters.get('main')?.state.lastSuccessAt;
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    const seen = run.view.clusters.get('main')?.state.lastSuccessAt;
    expect(run.finding(id)).toMatchObject({ onsetAfter: agreed, onsetBefore: seen });
  });

  it('swallowed by what is open though not covered at the moment, makes no second finding', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.9'] }] });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]).full();
    run
      .write(CONF, [line('FIVE', '10.0.0.5')])
      .lose(TABLE)
      .settle();
    expect(run.open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
  });
});
