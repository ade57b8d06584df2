import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONFIG_KEYS, guestConfig } from '../../../src/sources/proxmox/parse/guest-config.js';
import { agentInterfaces, containerInterfaces, INTERFACE_KEYS } from '../../../src/sources/proxmox/parse/interfaces.js';
import { POWER_KEYS, qmpStatuses } from '../../../src/sources/proxmox/parse/power.js';
import { RESOURCE_KEYS, resources } from '../../../src/sources/proxmox/parse/resources.js';
import { WantedKeys, wantedJson, wantedKeys } from '../../../src/sources/proxmox/parse/wanted-json.js';

const ALL = new WantedKeys(() => true);

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

describe('JSON of which some keys are wanted', () => {
  it('is what JSON.parse makes of it, where all are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        const read = wantedJson(text, ALL);
        // Keys with escapes are left to JSON.parse.
        if (read === undefined) expect(text).toMatch(/\\|__proto__/);
        else if (!text.includes('__proto__')) expect(read).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never read where JSON.parse refuses it, and never otherwise', () => {
    const inserted = fc.constantFrom(...'{}[]",:\\0123456789.-+eEtrufalsn \n\u0001é'.split(''), '');
    const damaged = fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.nat(), inserted, fc.boolean());
    fc.assert(
      fc.property(damaged, ([value, place, put, isReplaced]) => {
        const whole = JSON.stringify(value);
        const at = place % (whole.length + 1);
        const text = whole.slice(0, at) + put + whole.slice(isReplaced ? at + 1 : at);
        fc.pre(!text.includes('__proto__'));
        const read = wantedJson(text, ALL);
        if (read !== undefined) expect({ value: read }).toEqual(parsed(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    '',
    '01',
    '-01',
    '-',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    '"',
    '"\\',
    '"\\x"',
    '"\t"',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{a:1}',
    '{"a"}',
    '{"a":}',
    '[1',
    '{"a":1',
    '[1]]',
    'tru',
    'nul',
    'truefalse',
    'NaN',
    '[1 2]',
  ])('refuses %j, wanted or not', (text) => {
    expect(wantedJson(text, ALL)).toBeUndefined();
    expect(wantedJson(`{"other":${text}}`, wantedKeys('data'))).toBeUndefined();
  });

  it.each([
    '0',
    '-0',
    '10',
    '-7',
    '1.5',
    '-0.25e-3',
    '2E8',
    '123456789012345',
    '1234567890123456789',
    '"é\\n\\u00e9\\\\"',
    '{}',
    '[]',
    '[[],{}]',
  ])('reads %s', (text) => {
    expect(wantedJson(text, ALL)).toStrictEqual(JSON.parse(text));
  });

  it('leaves out what is not wanted, however deep', () => {
    const text =
      '{"other":{"vmid":1},"data":[{"vmid":100,"cpu":0.5,"nics":{"net0":{"vmid":1}}},{"vmid":101}],"x":[{}]}';
    expect(wantedJson(text, wantedKeys('data', 'vmid'))).toEqual({ data: [{ vmid: 100 }, { vmid: 101 }] });
  });

  it('takes the later of two values of one key, as JSON.parse does', () => {
    expect(wantedJson('{"a":1,"b":2,"a":3}', ALL)).toEqual({ a: 3, b: 2 });
  });

  it('knows a key by all of its letters', () => {
    expect(wantedJson('{"abc":1,"axc":2,"ab":3,"abcabc":4}', wantedKeys('axc'))).toEqual({ axc: 2 });
  });

  it('leaves to JSON.parse what is unusual', () => {
    for (const text of ['{ "a": 1 }', '{"\\u0061":1}', `${'['.repeat(60)}${']'.repeat(60)}`])
      expect(wantedJson(text, ALL)).toBeUndefined();
  });

  it('reads as well after more keys than are remembered', () => {
    const wanted = wantedKeys('data', 'last');
    const many = Array.from({ length: 3_000 }, (_, i) => `"key${i}":${i}`).join(',');
    expect(wantedJson(`{"data":{${many},"last":1}}`, wanted)).toEqual({ data: { last: 1 } });
  });
});

/** The value, and the names of all that is asked of its objects. */
function watched(value: unknown, asked: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => watched(item, asked));
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, watched(item, asked)]));
  return new Proxy(copy, {
    get(target, key) {
      if (typeof key === 'string') asked.add(key);
      return Reflect.get(target, key);
    },
  });
}

describe('what is wanted of an answer', () => {
  const wants = (keys: WantedKeys, key: string) => keys.find(key, 0, key.length).isWanted;
  const unwanted = (keys: WantedKeys, contents: readonly unknown[], parse: (content: unknown) => unknown) => {
    const asked = new Set<string>();
    for (const content of contents) parse(watched(content, asked));
    expect(asked.size).toBeGreaterThan(1);
    return [...asked].filter((key) => !wants(keys, key));
  };

  it('is all that is asked of the list', () => {
    const rows = [
      { type: 'qemu' },
      { type: 'lxc', vmid: 100, node: 'pve1' },
      { type: 'node', node: 'pve1' },
      { type: 'x' },
    ];
    expect(unwanted(RESOURCE_KEYS, [rows], resources)).toEqual([]);
  });

  it('is all that is asked of power details', () => {
    expect(unwanted(POWER_KEYS, [[{ vmid: 100 }]], qmpStatuses)).toEqual([]);
  });

  it('is all that is asked of interfaces', () => {
    const failed = { result: { error: {} } };
    const read = { result: [{ 'ip-addresses': [{}] }, { hwaddr: 'BC:24:11:00:00:01' }] };
    expect(unwanted(INTERFACE_KEYS, [failed, read], agentInterfaces)).toEqual([]);
    expect(unwanted(INTERFACE_KEYS, [[{}]], containerInterfaces)).toEqual([]);
  });

  it('is all that is asked of a config', () => {
    const config = { net0: 'virtio=BC:24:11:00:00:01', net31: 'virtio=BC:24:11:00:00:02' };
    expect(unwanted(CONFIG_KEYS, [{}, config], (content) => guestConfig('QEMU', content))).toEqual([]);
    expect(unwanted(CONFIG_KEYS, [{}, config], (content) => guestConfig('LXC', content))).toEqual([]);
    for (const disk of ['scsi0', 'ide2', 'sata5', 'virtio15', 'rootfs', 'mp255'])
      expect(wants(CONFIG_KEYS, disk)).toBe(true);
  });

  it('is in each of them what the answer is wrapped in', () => {
    for (const keys of [RESOURCE_KEYS, POWER_KEYS, INTERFACE_KEYS, CONFIG_KEYS]) expect(wants(keys, 'data')).toBe(true);
  });
});

it('lets the text go of which a piece is kept', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const wanted = wantedKeys('a-name-of-some-length');
  const name = (i: number) => `a guest with a name of some length ${i}`;
  const read = (i: number) => {
    const text = Buffer.from(`[{"a-name-of-some-length":"${name(i)}","more":"${'x'.repeat(1_000_000)}"}]`).toString();
    return wantedJson(text, wanted);
  };
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 40 }, (_, i) => read(i));
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  expect(kept).toEqual(kept.map((_, i) => [{ 'a-name-of-some-length': name(i) }]));
});
