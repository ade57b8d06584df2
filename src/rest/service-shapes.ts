import type { z } from 'zod';
import type { ServiceInventory, ServiceItem } from '../inventory/services.js';
import type { HardwareItem, NpmItem, ServiceRow, UnifiItem } from './service-schemas.js';
import { beginning, timeOf } from './shapes.js';

/** The answer of a service route; where nothing is configured it says so, and is empty. */
export function serviceBody(
  { isConfigured, freshness, items }: ServiceInventory,
  keep: (item: ServiceItem) => boolean = () => true,
) {
  const rows = items.filter(keep).flatMap((item) => serviceRow(item) ?? []);
  const beginsWith = beginning(freshness);
  return isConfigured
    ? { ...beginsWith, items: rows }
    : { ...beginsWith, implementation: 'stub' as const, items: rows };
}

/** A record of a service as the legacy clients read it; undefined for what is no row of theirs. */
function serviceRow(item: ServiceItem): ServiceRow | undefined {
  const { kind, service, cluster, key, seenAt } = item;
  const collected_at = timeOf(item.collectedAt);
  const last_seen_at = timeOf(seenAt);
  switch (kind) {
    case 'npm.proxy_host':
    case 'npm.redirection':
    case 'npm.stream':
    case 'npm.certificate':
      return npmRow(item, service, collected_at);
    case 'unifi.client':
    case 'unifi.device':
    case 'unifi.network':
      return unifiRow(item, service, { collected_at, last_seen_at });
    case 'neighbour': {
      const { host, address: ip, mac, device, router, secondHand: second_hand } = bodyOf(item, kind);
      return { cluster, host, ip, mac, device, router, second_hand, last_seen_at, collected_at };
    }
    case 'hardware':
    case 'hardware.health':
    case 'hardware.updates':
      return hardwareRow(item, { cluster, node: key, collected_at });
    case 'hardware.accepted':
      return undefined;
  }
}

type BodyOf<K extends ServiceItem['kind']> = ServiceItem<K>['body'];

/** The body of an item whose kind was just looked at. */
function bodyOf<K extends ServiceItem['kind']>(item: ServiceItem, _kind: K): BodyOf<K> {
  return item.body as BodyOf<K>;
}

type Target = BodyOf<'npm.stream'>['target'];

function targetOf({ scheme, host, port }: Target) {
  return { forward_scheme: scheme, forward_host: host, forward_port: port };
}

function npmRow(item: ServiceItem, npm: string, collected_at: string | null): z.infer<typeof NpmItem> {
  if (item.kind === 'npm.proxy_host') {
    const {
      id,
      domainNames,
      target: to,
      locations,
      enabled,
      certificateId,
      sslForced,
      error,
    } = bodyOf(item, item.kind);
    return {
      ...{ type: 'proxy_host', npm, id, domain_names: [...domainNames], ...targetOf(to) },
      locations: locations.map(({ path, target: there }) => ({ path, ...targetOf(there) })),
      ...{ enabled, certificate_id: certificateId, ssl_forced: sslForced, error, collected_at },
    };
  }
  if (item.kind === 'npm.redirection') {
    const { id, domainNames, forwardDomain, httpCode, enabled, certificateId } = bodyOf(item, item.kind);
    return {
      ...{ type: 'redirection_host', npm, id, domain_names: [...domainNames], forward_domain_name: forwardDomain },
      ...{ forward_http_code: httpCode, enabled, certificate_id: certificateId, collected_at },
    };
  }
  if (item.kind === 'npm.stream') {
    const { id, incomingPort: incoming_port, target: to, tcp, udp, enabled } = bodyOf(item, item.kind);
    const { forward_host, forward_port } = targetOf(to);
    return { type: 'stream', npm, id, incoming_port, forward_host, forward_port, tcp, udp, enabled, collected_at };
  }
  const { id, provider, name, domainNames, notAfter } = bodyOf(item, 'npm.certificate');
  return {
    ...{ type: 'certificate', npm, id, provider, name, domain_names: [...domainNames] },
    ...{ not_after: timeOf(notAfter), collected_at },
  };
}

function unifiRow(
  item: ServiceItem,
  unifi: string,
  { collected_at, last_seen_at }: { collected_at: string | null; last_seen_at: string | null },
): z.infer<typeof UnifiItem> {
  if (item.kind === 'unifi.device') {
    const { mac, name, model, kind, address: ip, version, state, ports } = bodyOf(item, item.kind);
    const rows = ports.map((port) => ({
      ...{ port: port.index, name: port.name, up: port.up, speed_mbps: port.speedMbps, uplink: port.isUplink },
      ...{ poe: port.poe, native_vlan: port.nativeVlan, lldp_name: port.lldpName },
    }));
    return { type: 'device', unifi, mac, name, model, kind, ip, version, state, ports: rows, collected_at };
  }
  if (item.kind === 'unifi.network') {
    const { id, name, purpose, vlan, prefix, gateway, dhcp, enabled } = bodyOf(item, item.kind);
    const range = { dhcp_from: dhcp?.from ?? null, dhcp_to: dhcp?.to ?? null };
    return { type: 'network', unifi, id, name, purpose, vlan, prefix, gateway, ...range, enabled, collected_at };
  }
  const client = bodyOf(item, 'unifi.client');
  const { mac, name, hostname, address: ip, network, vlan, wired, essid } = client;
  return {
    ...{ type: 'client', unifi, mac, name, hostname, ip, network, vlan, wired, switch_mac: client.switchMac },
    ...{ switch_port: client.switchPort, access_point_mac: client.accessPointMac, essid, last_seen_at, collected_at },
  };
}

function hardwareRow(
  item: ServiceItem,
  from: { cluster: string; node: string; collected_at: string | null },
): z.infer<typeof HardwareItem> {
  const { collected_at, ...where } = from;
  if (item.kind === 'hardware') {
    const { by, sections, parts } = bodyOf(item, item.kind);
    const rows = parts.map(({ sizeBytes, ...part }) => ({ ...part, size_bytes: sizeBytes }));
    return { type: 'parts', ...where, by, sections: [...sections], parts: rows, collected_at };
  }
  if (item.kind === 'hardware.health') {
    const { by, disks } = bodyOf(item, item.kind);
    const rows = disks.map(({ lifeLeftPercent, counters, ...disk }) => {
      return { ...disk, life_left_percent: lifeLeftPercent, counters: [...counters] };
    });
    return { type: 'health', ...where, by, disks: rows, collected_at };
  }
  const { packages } = bodyOf(item, 'hardware.updates');
  return { type: 'updates', ...where, packages: packages.map((one) => ({ ...one })), collected_at };
}
