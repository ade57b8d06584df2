import { describe, expect, it } from 'vitest';
import type { Mac } from '../../../src/domain/mac.js';
import {
  integrationClient,
  integrationDevice,
  integrationNetwork,
} from '../../../src/sources/unifi/parse/integration.js';
import { describeRecordings, recording } from '../recordings.js';

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
}
type Row = Record<string, unknown>;

const schemasOf = (version: string) =>
  (
    recording(`unifi-integration-openapi/network-${version}.json`) as {
      components: { schemas: Record<string, Schema> };
    }
  ).components.schemas;

/** An object as the schema's own examples make it. */
function example(schemas: Record<string, Schema>, schema: Schema): unknown {
  if (schema.$ref !== undefined) return example(schemas, schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  if (schema.properties !== undefined || schema.allOf !== undefined) {
    const inherited = (schema.allOf ?? []).map((each) => example(schemas, each) as Row);
    const own = Object.entries(schema.properties ?? {}).map(([name, of]) => [name, example(schemas, of)]);
    return Object.assign({}, ...inherited, Object.fromEntries(own));
  }
  if (schema.items !== undefined) return [example(schemas, schema.items)];
  if (schema.example !== undefined) return schema.example;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === 'integer') return 24;
  if (schema.type === 'boolean') return true;
  return schema.format === 'date-time' ? '2026-11-20T11:59:00Z' : `a ${schema.format ?? 'text'}`;
}
const made = (version: string, name: string, more: Row = {}): Row => {
  const schemas = schemasOf(version);
  const schema = schemas[name];
  if (schema === undefined) throw new Error(`${version} has no ${name}`);
  return { ...(example(schemas, schema) as Row), ...more };
};

const watch = { askedAt: Date.parse('2026-11-20T12:00:00Z'), ahead: 0 };
const switchMac = '0a:00:00:00:00:02' as Mac;
const macs = new Map([['a uuid', switchMac]]);
const adopted = (version: string) => (version === '9.0.99' || version === '9.5.21' ? 'Device' : 'Adopted device');

describeRecordings('the integration API', () => {
  it.each(['9.0.99', '9.5.21', '10.1.89', '10.5.66'])('of %s tells a device, its version and its ports', (version) => {
    const row = made(version, `${adopted(version)} overview`);
    const details = made(version, `${adopted(version)} details`);
    const read = integrationDevice(row, details, macs);
    expect(read).toEqual({
      ...{ mac: '94:2a:6f:26:c6:ca', name: 'IW HD', model: 'UHDIW', kind: 'switch', address: '192.168.1.55' },
      ...{ version: '6.6.55', state: 'CONNECTED', uplink: { mac: switchMac, port: null } },
      ports: [
        {
          ...{ index: 1, name: null, up: true, speedMbps: 1000, isUplink: false, nativeVlan: null, lldpName: null },
          // 9.0 tells nothing of PoE.
          poe: version === '9.0.99' ? null : true,
        },
      ],
    });
    expect(integrationDevice(row, undefined, macs)).toMatchObject({
      mac: '94:2a:6f:26:c6:ca',
      uplink: null,
      ports: [],
    });
  });

  it.each(['9.0.99', '9.5.21', '10.1.89', '10.5.66'])('of %s tells a client by MAC, on its device', (version) => {
    const read = (name: string, type: string) =>
      integrationClient(
        made(version, `${name} client overview`, { type, macAddress: 'BC:24:11:00:00:01', ipAddress: '10.0.0.5' }),
        macs,
        watch,
      );
    const common = { mac: 'bc:24:11:00:00:01', name: 'a text', hostname: null, address: '10.0.0.5', network: null };
    const unsaid = { vlan: null, switchPort: null, essid: null, fixedAddress: null };
    const seenAt = watch.askedAt - 60_000;
    expect(read('Wired', 'WIRED')).toEqual({
      body: { ...common, ...unsaid, wired: true, switchMac, accessPointMac: null },
      seenAt,
    });
    expect(read('Wireless', 'WIRELESS')).toEqual({
      body: { ...common, ...unsaid, wired: false, switchMac: null, accessPointMac: switchMac },
      seenAt,
    });
  });

  it.each(['10.1.89', '10.5.66'])('of %s tells networks, and in detail their subnets', (version) => {
    const row = made(version, 'Network overview', { management: 'GATEWAY', vlanId: 20, name: 'Lab', id: 'n20' });
    const ipv4Configuration = made(version, 'Gateway Managed IPv4 Configuration', {
      ...{ hostIpAddress: '10.20.0.1', prefixLength: 16 },
      dhcpConfiguration: made(version, 'Gateway Managed IPv4 DHCP Server Configuration', {
        ...{ mode: 'SERVER', ipAddressRange: { start: '10.20.0.100', stop: '10.20.0.200' } },
      }),
    });
    const details = made(version, 'Gateway managed network details', { ipv4Configuration });
    const base = { id: 'n20', name: 'Lab', purpose: 'gateway', vlan: 20, enabled: true };
    expect(integrationNetwork(row, details)).toEqual({
      ...{ ...base, prefix: '10.20.0.0/16', gateway: '10.20.0.1' },
      dhcp: { from: '10.20.0.100', to: '10.20.0.200' },
    });
    expect(integrationNetwork(row, undefined)).toEqual({ ...base, prefix: null, gateway: null, dhcp: null });
    expect(integrationNetwork({ ...row, vlanId: 1 }, undefined)).toMatchObject({ vlan: null });
  });

  it('has no state of a device that is not known here', () => {
    const state = (word: unknown) => {
      const read = integrationDevice({ macAddress: '0a:00:00:00:00:01', state: word }, undefined, macs);
      return typeof read === 'string' ? read : read.state;
    };
    const words = schemasOf('10.5.66')['Adopted device overview']?.properties?.state?.enum ?? [];
    expect(words.map((word) => `${word} ${state(word)}`)).toEqual([
      'ONLINE CONNECTED',
      'OFFLINE DISCONNECTED',
      'PENDING_ADOPTION PENDING',
      'UPDATING BUSY',
      'GETTING_READY BUSY',
      'ADOPTING BUSY',
      'DELETING BUSY',
      'CONNECTION_INTERRUPTED DISCONNECTED',
      'ISOLATED DISCONNECTED',
      'U5G_INCORRECT_TOPOLOGY UNKNOWN',
    ]);
  });
});

describe('a client of the integration API', () => {
  const row = { type: 'WIRED', macAddress: 'bc:24:11:00:00:01', name: 'x' };
  const seen = (connectedAt: string | undefined) => {
    const read = integrationClient({ ...row, connectedAt }, macs, watch);
    return typeof read === 'object' ? read.seenAt : read;
  };

  it('was heard since it connected, or within the time that the list forgets in', () => {
    expect(seen('2026-11-20T11:58:00Z')).toBe(watch.askedAt - 120_000);
    expect(seen('2026-11-01T00:00:00Z')).toBe(watch.askedAt - 300_000);
    expect(seen(undefined)).toBe(watch.askedAt - 300_000);
    expect(seen('2026-11-20T12:30:00Z')).toBe(watch.askedAt);
  });

  it('behind a VPN is on no wire of ours; of a type nobody knows it is a note', () => {
    expect(integrationClient({ type: 'VPN', name: 'x' }, macs, watch)).toBeUndefined();
    expect(integrationClient({ type: 'TELEPORT', name: 'x' }, macs, watch)).toBeUndefined();
    expect(integrationClient({ type: 'CARRIER_PIGEON' }, macs, watch)).toBe('a client of type CARRIER_PIGEON');
  });
});
