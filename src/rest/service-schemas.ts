import { z } from 'zod';

/** Rows of the service routes: one shape a kind of record, told apart by `type`. */

const time = z.iso.datetime().describe('UTC, ISO 8601, with Z');
const text = z.string().nullable();
const target = z.object({ forward_scheme: text, forward_host: z.string(), forward_port: z.number() });
const FROM = {
  collected_at: time.nullable().describe('When its source last answered'),
};

const ProxyHost = z.object({
  ...{ type: z.literal('proxy_host'), npm: z.string(), id: z.number(), domain_names: z.array(z.string()) },
  ...target.shape,
  locations: z.array(target.extend({ path: z.string() })),
  ...{ enabled: z.boolean(), certificate_id: z.number().nullable(), ssl_forced: z.boolean() },
  error: text.describe('Why nginx did not take its config'),
  ...FROM,
});
const Redirection = z.object({
  ...{ type: z.literal('redirection_host'), npm: z.string(), id: z.number(), domain_names: z.array(z.string()) },
  ...{ forward_domain_name: z.string(), forward_http_code: z.number().nullable() },
  ...{ enabled: z.boolean(), certificate_id: z.number().nullable() },
  ...FROM,
});
const Stream = z.object({
  ...{ type: z.literal('stream'), npm: z.string(), id: z.number(), incoming_port: z.number() },
  ...{ forward_host: z.string(), forward_port: z.number(), tcp: z.boolean(), udp: z.boolean(), enabled: z.boolean() },
  ...FROM,
});
const Certificate = z.object({
  ...{ type: z.literal('certificate'), npm: z.string(), id: z.number(), provider: z.string(), name: z.string() },
  ...{ domain_names: z.array(z.string()), not_after: time.nullable() },
  ...FROM,
});
export const NpmItem = z.discriminatedUnion('type', [ProxyHost, Redirection, Stream, Certificate]);

const Port = z.object({
  ...{ port: z.number(), name: text, up: z.boolean().nullable(), speed_mbps: z.number().nullable() },
  ...{ uplink: z.boolean(), poe: z.boolean().nullable(), native_vlan: z.number().nullable(), lldp_name: text },
});
const UnifiDevice = z.object({
  ...{ type: z.literal('device'), unifi: z.string(), mac: z.string(), name: text, model: text, kind: z.string() },
  ...{ ip: text, version: text, state: z.string(), ports: z.array(Port) },
  ...FROM,
});
const UnifiNetwork = z.object({
  ...{ type: z.literal('network'), unifi: z.string(), id: z.string(), name: z.string(), purpose: text },
  ...{ vlan: z.number().nullable(), prefix: text, gateway: text, dhcp_from: text, dhcp_to: text, enabled: z.boolean() },
  ...FROM,
});
const UnifiClient = z.object({
  ...{ type: z.literal('client'), unifi: z.string(), mac: z.string(), name: text, hostname: text, ip: text },
  ...{ network: text, vlan: z.number().nullable(), wired: z.boolean(), switch_mac: text },
  ...{ switch_port: z.number().nullable(), access_point_mac: text, essid: text, last_seen_at: time.nullable() },
  ...FROM,
});
export const UnifiItem = z.discriminatedUnion('type', [UnifiDevice, UnifiNetwork, UnifiClient]);

export const NeighbourItem = z.object({
  ...{ cluster: z.string(), host: z.string(), ip: z.string(), mac: z.string(), device: z.string() },
  ...{ router: z.boolean(), second_hand: z.boolean() },
  last_seen_at: time.nullable().describe('When it was last REACHABLE; null: only remembered by the host'),
  ...FROM,
});

const Part = z.object({
  ...{ section: z.string(), place: z.string(), vendor: text, model: text, serial: text },
  ...{ size_bytes: z.number().nullable(), detail: text },
});
const Disk = z.object({
  ...{ disk: z.string(), device: z.string(), model: text, verdict: z.enum(['PASSED', 'FAILED', 'UNKNOWN']) },
  ...{ life_left_percent: z.number().nullable(), counters: z.array(z.string()) },
});
const Update = z.object({ name: z.string(), installed: text, available: z.string(), origin: text });
const HardwareParts = z.object({
  ...{ type: z.literal('parts'), cluster: z.string(), node: z.string(), by: z.enum(['SSH', 'API']) },
  ...{ sections: z.array(z.string()), parts: z.array(Part) },
  ...FROM,
});
const HardwareHealthRow = z.object({
  ...{ type: z.literal('health'), cluster: z.string(), node: z.string(), by: z.enum(['SSH', 'API']) },
  disks: z.array(Disk),
  ...FROM,
});
const HardwareUpdatesRow = z.object({
  ...{ type: z.literal('updates'), cluster: z.string(), node: z.string(), packages: z.array(Update) },
  ...FROM,
});
export const HardwareItem = z.discriminatedUnion('type', [HardwareParts, HardwareHealthRow, HardwareUpdatesRow]);

export type ServiceRow = z.infer<typeof NpmItem | typeof UnifiItem | typeof NeighbourItem | typeof HardwareItem>;
