import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { ipAddress } from '../../src/domain/address.js';
import { macAddress } from '../../src/domain/mac.js';

describe('an address', () => {
  it.each([
    ['fe80::be24:11ff:fe00:1', 'fe80::be24:11ff:fe00:1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:1::5', '2001:db8:0:1::5'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    // `::` for one group alone is written out (RFC 5952, 4.2.2).
    ['1:2:3:4:5:6::8', '1:2:3:4:5:6:0:8'],
    ['fe80::', 'fe80::'],
    ['::1', '::1'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['::ffff:a00:5', '10.0.0.5'],
    ['10.0.0.5', '10.0.0.5'],
  ])('%s is %s in its one form', (text, form) => {
    expect(ipAddress(text)).toBe(form);
  });

  it.each(['1::2::3', '1:2:3:4:5:6:7::8:9', 'fe80::12345', 'fe80::1%eth0', 'fe80::g', '1:2:3', '010.0.0.1', ''])(
    '%s is none',
    (text) => {
      expect(ipAddress(text)).toBeUndefined();
    },
  );

  it('has the same form whether it is recognised at once or taken apart', () => {
    const groups = ['0', '1', 'a0', 'db8', 'ffff', ''];
    const texts = Array.from({ length: 6 ** 5 }, (_, n) =>
      [0, 1, 2, 3, 4].map((place) => groups[Math.floor(n / 6 ** place) % 6]).join(':'),
    );
    const apart = (text: string) => {
      if (!ipaddr.IPv6.isValid(text)) return undefined;
      const parsed = ipaddr.IPv6.parse(text);
      return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String();
    };
    expect(texts.filter((text) => ipAddress(text) !== apart(text))).toEqual([]);
  });
});

describe('a MAC address', () => {
  it.each(['bc:24:11:aa:bb:cc', 'BC-24-11-AA-BB-CC', 'bc24.11aa.bbcc', 'BC2411AABBCC'])('%s has one form', (text) => {
    expect(macAddress(text)).toBe('bc:24:11:aa:bb:cc');
  });

  it.each(['00:00:00:00:00:00', '000000000000', 'bc:24:11:aa:bb', 'bc:24:11:aa:bb:cg', ''])('%s is none', (text) => {
    expect(macAddress(text)).toBeUndefined();
  });
});
