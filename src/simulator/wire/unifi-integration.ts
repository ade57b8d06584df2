import { uuidOf } from '../random.js';
import type { UnifiDeviceModel, UnifiNetworkModel, UnifiPortModel } from '../unifi-gear.js';
import type { UnifiClientModel } from '../unifi-model.js';
import type { Answer } from './answers.js';
import { json, type ServiceRequest } from './service.js';
import { type Application, FOUNDED, SITES } from './unifi-site.js';

const LIMIT = 25;
const MOST = 200;

/** The API that a key is made for, below `/integration/v1`. Nobody is refused here: credentials were looked at before. */
export function integrationAnswer(needs: Application, below: string, request: ServiceRequest): Answer {
  const [, site, list = '', id] = /^\/sites\/([0-9a-f-]+)\/([a-z]+)(?:\/([0-9a-f-]+))?$/.exec(below) ?? [];
  if (below === '/info') return json(200, { applicationVersion: needs.version });
  if (below === '/sites') return page(needs, request, SITES, (row) => siteRow(row, needs));
  if (below === '/pending-devices' && majorOf(needs) >= 10) return page(needs, request, [], (row) => row);
  const known = SITES.find(({ name }) => siteId(name) === site);
  if (known === undefined) return notFound(needs, request);
  return listAnswer(needs, request, list, { id, isOurs: known.isOurs });
}

function listAnswer(
  needs: Application,
  request: ServiceRequest,
  list: string,
  asked: { readonly id: string | undefined; readonly isOurs: boolean },
): Answer {
  const { gear } = needs.model;
  const { id, isOurs } = asked;
  const one = <T>(rows: readonly T[], idOf: (row: T) => string, detail: (row: T) => object): Answer => {
    const row = rows.find((each) => isOurs && idOf(each) === id);
    return row === undefined ? notFound(needs, request) : json(200, detail(row));
  };
  const many = <T>(rows: readonly T[], show: (row: T) => object) => page(needs, request, isOurs ? rows : [], show);
  if (list === 'devices') {
    if (id === undefined) return many(gear.devices, (device) => deviceRow(device, needs));
    return one(
      gear.devices,
      ({ mac }) => deviceId(mac),
      (device) => deviceDetails(device, needs),
    );
  }
  if (list === 'networks' && majorOf(needs) >= 10) {
    const lans = gear.networks.filter(({ purpose }) => purpose !== 'wan' && purpose !== 'remote-user-vpn');
    return id === undefined ? many(lans, networkRow) : one(lans, networkId, networkDetails);
  }
  if (list !== 'clients') return notFound(needs, request);
  const clients = needs.model.connected().filter(({ isQuiet }) => !isQuiet);
  if (id === undefined) return many(clients, (client) => clientRow(client, needs));
  if (isBefore91(needs)) return notFound(needs, request);
  return one(
    clients,
    ({ mac }) => clientId(mac),
    (client) => clientRow(client, needs),
  );
}

/** `{offset, limit, count, totalCount, data}`; a limit beyond the most is refused. */
function page<T>(needs: Application, request: ServiceRequest, rows: readonly T[], show: (row: T) => object): Answer {
  const whole = (name: string, otherwise: number) => Number(request.query.get(name) ?? otherwise);
  const [offset, limit] = [whole('offset', 0), whole('limit', LIMIT)];
  const isFit = Number.isInteger(offset) && Number.isInteger(limit) && offset >= 0 && limit >= 0 && limit <= MOST;
  if (!isFit) return integrationError(needs, request, 400, 'api.request.error', `limit and offset: 0 to ${MOST}`);
  const filter = request.query.get('filter');
  if (filter === null) {
    const data = rows.slice(offset, offset + limit).map(show);
    return json(200, { offset, limit, count: data.length, totalCount: rows.length, data });
  }
  const [, field = '', wanted = ''] = /^(\w+)\.eq\('?([^']*?)'?\)$/.exec(filter) ?? [];
  if (field === '') return integrationError(needs, request, 400, 'api.request.error', `no such filter: ${filter}`);
  const fit = rows.map(show).filter((row) => String((row as Record<string, unknown>)[field]) === wanted);
  const data = fit.slice(offset, offset + limit);
  return json(200, { offset, limit, count: data.length, totalCount: fit.length, data });
}

const NAMES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  429: 'TOO_MANY_REQUESTS',
};

export function integrationError(
  { now }: Pick<Application, 'now'>,
  { path }: ServiceRequest,
  status: number,
  code: string,
  message: string,
): Answer {
  const requestPath = path.replace('/proxy/network', '');
  const timestamp = new Date(now()).toISOString();
  const requestId = uuidOf('request', path, now());
  return json(status, {
    statusCode: status,
    statusName: NAMES[status] ?? '',
    code,
    message,
    timestamp,
    requestPath,
    requestId,
  });
}

function notFound(needs: Application, request: ServiceRequest): Answer {
  return integrationError(needs, request, 404, 'api.request.error', 'Not found');
}

function majorOf({ version }: Application): number {
  return Number(version.split('.')[0]);
}

/** 9.0 was the first that had it, and had less. */
function isBefore91({ version }: Application): boolean {
  return version.startsWith('9.0.');
}

function siteId(name: string): string {
  return uuidOf('unifi', 'site', name);
}

function deviceId(mac: string): string {
  return uuidOf('unifi', 'device', mac);
}

function clientId(mac: string): string {
  return uuidOf('unifi', 'client', mac);
}

function networkId({ name }: UnifiNetworkModel): string {
  return uuidOf('unifi', 'network', name);
}

function siteRow({ name, title }: (typeof SITES)[number], needs: Application): object {
  return { id: siteId(name), ...(isBefore91(needs) ? {} : { internalReference: name }), name: title };
}

const MODELS = { switch: 'USW 24 PoE', gateway: 'UDM Pro', 'access-point': 'AC Pro' } as const;
const FEATURES = { switch: ['switching'], gateway: ['switching', 'gateway'], 'access-point': ['accessPoint'] } as const;

function deviceRow({ mac, name, kind, address }: UnifiDeviceModel, needs: Application): object {
  return {
    ...{ id: deviceId(mac), name, model: MODELS[kind], macAddress: mac, ipAddress: address, state: 'ONLINE' },
    ...{ features: FEATURES[kind], interfaces: kind === 'access-point' ? ['radios'] : ['ports'] },
    ...(majorOf(needs) >= 10 ? FIRMWARE : {}),
  };
}

const FIRMWARE = { supported: true, firmwareVersion: '7.1.26', firmwareUpdatable: false } as const;

/** In the list features are words; here they are things. */
function deviceDetails(device: UnifiDeviceModel, needs: Application): object {
  const { kind, uplink, ports } = device;
  const since = new Date(FOUNDED).toISOString();
  const lags = needs.version.startsWith('10.') ? { lags: [] } : {};
  return {
    ...{ ...deviceRow(device, needs), ...FIRMWARE, adoptedAt: since, provisionedAt: since, configurationId: '3b2f' },
    ...(uplink === null ? {} : { uplink: { deviceId: deviceId(uplink.mac) } }),
    features: kind === 'access-point' ? { accessPoint: {} } : { switching: lags },
    interfaces:
      kind === 'access-point'
        ? { radios: [{ wlanStandard: '802.11ac', frequencyGHz: frequency(needs), channelWidthMHz: 40, channel: 44 }] }
        : { ports: ports.map((port) => portRow(port, needs)) },
  };
}

/** A text in 9.0, a number from then on. */
function frequency(needs: Application): number | string {
  return isBefore91(needs) ? '5' : 5;
}

function portRow({ index, to }: UnifiPortModel, needs: Application): object {
  const up = to !== null && (to.kind !== 'node' || to.estate.node(to.node)?.state !== 'offline');
  const speed = to?.kind === 'node' && up ? (to.estate.machines.of(to.node).ports[0]?.mbps ?? 1000) : 1000;
  const poe = { standard: '802.3at', type: 2, enabled: up, state: up ? 'UP' : 'DOWN' };
  return {
    ...{ idx: index, state: up ? 'UP' : 'DOWN', connector: speed > 1000 ? 'SFPPLUS' : 'RJ45', maxSpeedMbps: speed },
    ...(up ? { speedMbps: speed } : {}),
    ...(index > 20 && !isBefore91(needs) ? { poe } : {}),
  };
}

/** No VLAN, no network, no port: a key learns less of a client than a person who logs in. */
function clientRow({ mac, address, hostname, name, at, since }: UnifiClientModel, needs: Application): object {
  return {
    ...{ type: at.kind === 'port' ? 'WIRED' : 'WIRELESS', id: clientId(mac), name: name || hostname || mac },
    ...{ connectedAt: new Date(since).toISOString(), ...(address === null ? {} : { ipAddress: address }) },
    ...{ macAddress: mac, uplinkDeviceId: deviceId(at.kind === 'port' ? at.switchMac : at.apMac) },
    ...(isBefore91(needs) ? {} : { access: { type: 'DEFAULT' } }),
  };
}

function networkRow(network: UnifiNetworkModel): object {
  const { name, vlan, subnet } = network;
  return {
    ...{ management: subnet === null ? 'UNMANAGED' : 'GATEWAY', id: networkId(network), name, enabled: true },
    ...{ vlanId: vlan ?? 1, metadata: { origin: 'USER_DEFINED' }, default: vlan === null },
    ...(subnet === null ? {} : { zoneId: uuidOf('unifi', 'zone', 'internal') }),
  };
}

function networkDetails(network: UnifiNetworkModel): object {
  const { subnet, dhcp } = network;
  if (subnet === null) return networkRow(network);
  const server = dhcp === null ? {} : { dhcpConfiguration: serverOf(dhcp) };
  return {
    ...networkRow(network),
    ...{
      isolationEnabled: false,
      cellularBackupEnabled: true,
      internetAccessEnabled: true,
      mdnsForwardingEnabled: false,
    },
    ipv4Configuration: {
      ...{ autoScaleEnabled: false, hostIpAddress: subnet.gateway, prefixLength: subnet.length, ...server },
    },
  };
}

function serverOf({ from, to }: { readonly from: string; readonly to: string }): object {
  const times = { leaseTimeSeconds: 86_400, pingConflictDetectionEnabled: true };
  return { mode: 'SERVER', ipAddressRange: { start: from, stop: to }, ...times };
}
