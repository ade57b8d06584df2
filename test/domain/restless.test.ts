import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import { addressDiffers } from '../../src/domain/compare/address-differs.js';
import { type Comparison, compare } from '../../src/domain/compare/compare.js';
import { declarationsConflict } from '../../src/domain/compare/conflicts.js';
import { nameDiffers, nodeDiffers } from '../../src/domain/compare/facts.js';
import { resourcesDiffer } from '../../src/domain/compare/resources-differ.js';
import { statusDiffers } from '../../src/domain/compare/status-differs.js';
import { vlanDiffers } from '../../src/domain/compare/vlan-differs.js';
import type { Rule } from '../../src/domain/compare/world.js';
import type { Declaration, DeclaredStatus } from '../../src/domain/declaration.js';
import type { AddressClass } from '../../src/domain/policy.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import type { GuestView } from '../../src/domain/view.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { DCIM, vm } from '../testkit/domain-netbox.js';
import { Run } from '../testkit/domain-run.js';
import { neighbours, unifi } from '../testkit/domain-services.js';
import { holds } from '../testkit/domain-worlds.js';
import { Estate } from '../testkit/estate-model.js';

const RUNS = Number(process.env.PROPERTY_RUNS ?? 150);

const VMIDS = [100, 101, 102] as const;
const byte = fc.integer({ min: 2, max: 5 });
const vmid = fc.constantFrom(...VMIDS);
const cluster = fc.constantFrom('main', 'edge');
const node = fc.constantFrom('pve1', 'pve2');
const means = fc.option(fc.constantFrom<DeclaredStatus>('running', 'stopped', 'planned', 'retired', 'unclear'));
const ip = (last: number) => `10.0.0.${last}`;
const VRRP = '00:00:5e:00:01:07';

/** What may happen between two comparisons. */
type Step = (run: Run) => unknown;

const guestChanges = fc
  .record({
    cluster,
    vmid,
    node,
    name: fc.constantFrom('web', 'db', 'WEB.example.org'),
    power: fc.constantFrom('RUNNING' as const, 'RUNNING' as const, 'STOPPED' as const, 'PAUSED' as const),
    template: fc.constantFrom(false, false, false, true),
    agentDead: fc.constantFrom(false, false, true),
    lock: fc.constantFrom(null, null, null, 'backup'),
    last: byte,
    vlan: fc.constantFrom(null, 20, 30),
    ip4: fc.constantFrom('dhcp' as const, null, 'static' as const),
    shows: fc.boolean(),
    vrrp: fc.constantFrom(false, false, false, true),
  })
  .map(({ last, vlan, ip4, shows, vrrp, ...rest }): Step => {
    const fixed = ip4 === 'static' ? `${ip(last)}/24` : ip4;
    const mac = vrrp ? { mac: VRRP } : {};
    return ({ estate }) =>
      estate.guest({ ...rest, devices: [{ vlan, ip4: fixed, shows: shows ? [ip(last)] : [], ...mac }] });
  });

const tableRow = fc.record({
  vmid,
  name: fc.constantFrom(null, 'web', 'db'),
  cluster: fc.option(cluster),
  node: fc.option(fc.constantFrom('pve1', 'pve2', 'pve9')),
  status: means,
  addresses: fc.array(byte.map(ip), { maxLength: 2 }),
  unreadable: fc.constantFrom([], [], [], ['name'] as const, ['addresses'] as const),
});

const inventoryVm = fc.record({
  id: fc.integer({ min: 1, max: 4 }),
  vmid: fc.option(vmid, { freq: 4 }),
  clusterName: cluster,
  name: fc.constantFrom(null, 'web', 'db'),
  status: means,
  last: byte,
  kind: fc.constantFrom('own', 'own', 'reserved', 'dynamic', 'virtual'),
  vlan: fc.constantFrom(20, 30),
  cpus: fc.constantFrom(null, 2, 4),
});

const writings = fc.oneof(
  fc.array(tableRow, { minLength: 1, maxLength: 4 }).map((rows): Step => {
    const written: Declaration[] = rows.map((one, i) => ({ ...row(one), key: `${one.vmid}#${i}` }));
    return (run) => run.write(TABLE, written);
  }),
  fc.uniqueArray(inventoryVm, { minLength: 1, maxLength: 4, selector: ({ id }) => id }).map((vms): Step => {
    const rows = vms.map(({ last, kind, vlan, ...wish }) => {
      const address = { text: ip(last), [kind]: true };
      return vm({ ...wish, addresses: [address], interfaces: [{ name: 'net0', vlan }] });
    });
    return (run) => {
      run.services.set(DCIM, rows);
      run.read(DCIM);
    };
  }),
  fc.constantFrom<Step>(
    (run) => run.lose(TABLE),
    (run) => run.lose(DCIM),
  ),
);

const looks = fc.oneof(
  cluster.map(
    (name): Step =>
      (run) =>
        run.poll('list', name),
  ),
  cluster.map(
    (name): Step =>
      (run) =>
        run.tick([], name),
  ),
  cluster.map(
    (name): Step =>
      (run) =>
        run.full(name),
  ),
  fc.constant<Step>((run) => run.settle()),
  cluster.map(
    (name): Step =>
      (run) =>
        run.unreachable(name),
  ),
  fc.constantFrom(10 * SECOND, 3 * MINUTE, HOUR).map(
    (time): Step =>
      (run) =>
        run.wait(time),
  ),
  fc.constant<Step>((run) => run.relearn()),
);

const words = fc.oneof(
  fc
    .record({ last: byte, class: fc.constantFrom<AddressClass>('virtual', 'dynamic', 'external') })
    .map((rule): Step => {
      const network = cidr(ip(rule.last));
      const addressClasses = network === undefined ? [] : [{ cidr: network, class: rule.class }];
      return (run) => run.rule({ addressClasses });
    }),
  fc.constantFrom(0, 2 * MINUTE, HOUR).map(
    (addressAfterStart): Step =>
      (run) =>
        run.rule({ addressAfterStart }),
  ),
);

const services = fc.oneof(
  fc.record({ last: byte, minutesAgo: fc.constantFrom(0, 10), mac: fc.constantFrom(VRRP, '02:00:00:00:00:99') }).map(
    ({ last, minutesAgo, mac }): Step =>
      (run) =>
        run.serve(
          'ip_neigh:main/pve1',
          neighbours('pve1', { address: ip(last), mac, seenAt: run.estate.now - minutesAgo * MINUTE }),
        ),
  ),
  byte.map((last): Step => {
    const clients = (now: number) => [{ mac: '02:00:00:00:00:98', address: ip(last), seenAt: now }];
    return (run) =>
      run.serve('unifi:campus', unifi({ clients: clients(run.estate.now), networks: [{ dhcp: [ip(3), ip(4)] }] }));
  }),
);

const lives = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: guestChanges },
    { weight: 3, arbitrary: writings },
    { weight: 6, arbitrary: looks },
    { weight: 1, arbitrary: words },
    { weight: 1, arbitrary: services },
  ),
  { minLength: 8, maxLength: 30 },
);

/** A small estate of two clusters that goes through a life; `check` after each comparison. */
function living(steps: readonly Step[], check: (run: Run) => void): void {
  const estate = new Estate({ main: ['pve1', 'pve2'], edge: ['pve1', 'pve2'] });
  for (const place of ['main', 'edge'])
    for (const own of [100, 101]) estate.guest({ cluster: place, vmid: own, devices: [{ shows: [ip(own - 98)] }] });
  const run = new Run({ estate });
  for (const step of steps) {
    estate.pass(SECOND);
    step(run);
    check(run);
  }
}

/** Nobody asks for the sake of a field that a guest has not: no address, no VLAN; and sizes are asked for only where they differ. */
function hasField({ carried, config }: GuestView, kind: Rule['kind']): boolean {
  if (kind === 'ADDRESS_DIFFERS') return carried.length > 0;
  if (kind === 'VLAN_DIFFERS') return config?.devices.some(({ vlan }) => vlan !== null) === true;
  return kind !== 'RESOURCES_DIFFER';
}

/** Everything that rules over guests and their rows would tell, ask and wait for, whoever is judged. */
function untold({ world, so, asks, due }: Comparison): readonly string[] {
  const FIELDS = ['name', 'node', 'status', 'address4', 'address6'];
  const rules = [
    { rule: nameDiffers, fields: ['name'] },
    { rule: nodeDiffers, fields: ['node'] },
    { rule: statusDiffers, fields: ['status'] },
    { rule: addressDiffers, fields: ['address4', 'address6'] },
    { rule: vlanDiffers, fields: ['net0'] },
    { rule: resourcesDiffer, fields: ['cpus', 'memory', 'disk'] },
    { rule: declarationsConflict, fields: FIELDS },
  ];
  const known = new Set(asks.map((ask) => `${ask.source} ${ask.part} ${ask.key}`));
  const missed: string[] = [];
  for (const guest of world.view.guests.values()) {
    const { id, key } = guest;
    for (const { rule, fields } of rules) {
      for (const field of fields) {
        const subject = { kind: 'GUEST' as const, id: rule.kind === 'DECLARATIONS_CONFLICT' ? key : id };
        const verdict = rule.judge(world, subject, field);
        const what = `${rule.kind} ${id} ${field}`;
        if (verdict.kind === 'so' && !so.has(verdict.difference.id)) missed.push(`${what} is so`);
        if (!hasField(guest, rule.kind)) continue;
        if (verdict.kind === 'doubt' && verdict.asks.some((ask) => !known.has(`${ask.source} ${ask.part} ${ask.key}`)))
          missed.push(`${what} asks`);
        const again = verdict.due ?? null;
        if (again !== null && (due === null || due > again)) missed.push(`${what} waits`);
      }
    }
  }
  return missed;
}

function told({ so, asks, due }: Comparison) {
  return { so: [...so], asks, due };
}

describe('guests that are not judged because they agree', () => {
  it('have nothing to tell, to ask or to wait for', () => {
    fc.assert(
      fc.property(lives, (steps) => {
        living(steps, (run) => holds(run, 'nobody is passed over', untold(run.comparison), []));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a guest that agrees with its rows', () => {
  /** It carries what its row names, and may carry another address where its row names one that it has not. */
  function agreed(carried: readonly string[] = [], named: readonly string[] = []): Run {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: [ip(2), ...carried] }] });
    run.write(TABLE, [row({ vmid: 100, addresses: [ip(2), ...named] })]).settle();
    expect([...run.comparison.so.keys()]).not.toContain(DIFFERS);
    return run;
  }
  const DIFFERS = 'ADDRESS_DIFFERS:main/100@1:address4';

  it('is judged again once the policy says that what they agree on is shared in turn', () => {
    const network = cidr(ip(2));
    const addressClasses = network === undefined ? [] : [{ cidr: network, class: 'virtual' as const }];
    expect([
      ...agreed([ip(4)], [ip(3)])
        .rule({ addressClasses })
        .comparison.so.keys(),
    ]).toContain(DIFFERS);
  });

  it('is waited for once the policy gives a start more time than it had', () => {
    const run = agreed().rule({ addressAfterStart: 30 * DAY });
    const startedAt = run.view.guestsByKey.get('main/100')?.row.startedAt ?? 0;
    expect(run.comparison.due).toBe(startedAt + 30 * DAY);
  });
});

describe('what is kept from one comparison to the next', () => {
  it('changes no answer', () => {
    fc.assert(
      fc.property(lives, (steps) => {
        living(steps, (run) => {
          const anew = compare(structuredClone(run.view), run.policy, run.estate.now);
          holds(run, 'as if compared for the first time', told(run.comparison), told(anew));
        });
      }),
      { numRuns: RUNS },
    );
  });
});
