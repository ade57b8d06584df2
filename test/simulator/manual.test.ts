import { describe, expect, it } from 'vitest';
import { DEEDS } from '../../src/simulator/admin.js';
import { NO_HTTP_FAULTS } from '../../src/simulator/fault-switches.js';
import { NO_FAULTS } from '../../src/simulator/faults.js';
import { NO_NETBOX_FAULTS } from '../../src/simulator/wire/netbox/faults.js';
import { NO_SERVICE_FAULTS } from '../../src/simulator/wire/service-faults.js';
import { section, tableRows } from '../testkit/manual.js';
import { simulate } from './asking.js';

const PAGE = 'docs/operations.md';
const rows = (heading: string) => tableRows(section(PAGE, heading));
const named = (heading: string, who: string) =>
  rows(heading)
    .filter((row) => row[1]?.includes(who) === true)
    .map((row) => row[0] ?? '')
    .sort();

describe('the manual of the back door', () => {
  const http: readonly string[] = Object.keys(NO_HTTP_FAULTS);
  it.each([
    ['all', NO_HTTP_FAULTS, [] as readonly string[]],
    ['clusters', NO_FAULTS, http],
    ['UniFi', NO_SERVICE_FAULTS, http],
    ['NetBox', NO_NETBOX_FAULTS, http],
  ])('names every fault of %s, and no other', (who, faults, shared) => {
    const own = Object.keys(faults).filter((name) => !shared.includes(name));
    expect(named('Faults', who)).toEqual(own.sort());
  });

  it('names every deed, and no other', async () => {
    expect(named('Deeds', 'clusters')).toEqual(Object.keys(DEEDS).sort());
    const { adminUrl, adminToken } = await simulate({ services: true });
    const body = JSON.stringify({ service: 'sim-netbox', deed: 'none' });
    const headers = { authorization: `Bearer ${adminToken}` };
    const told = await fetch(`${adminUrl}/_admin/deeds`, { method: 'POST', headers, body });
    const { error } = (await told.json()) as { error: string };
    const known = error.replace('deed: give one of ', '').split(', ');
    expect(named('Deeds', 'NetBox')).toEqual(known.sort());
  });
});
