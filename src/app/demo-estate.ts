import {
  type ClusterSettings,
  type HostSettings,
  Secret,
  type TlsPin,
  type UnifiSettings,
} from '../domain/settings.js';
import type { Simulator } from '../simulator/simulator.js';
import type { Estate } from './estate.js';

/** The simulated estate as `sources.yaml` would name it: whatever it plays is collected over its own protocol. */
export function demoEstate(simulator: Simulator, declaredDir: string): Estate {
  return {
    clusters: simulator.clusters.map(cluster),
    hosts: simulator.hosts.map(host),
    npm: simulator.npm.map(({ name, url, fingerprint, identity, secret }) => {
      return { name, broken: null, url, tls: pin(fingerprint), identity, secret: new Secret(secret) };
    }),
    unifi: simulator.unifi.map(unifi),
    netbox: simulator.netbox.map(({ name, url, fingerprint, token }) => {
      const own = { vmidField: 'vmid', clusters: {}, vrfScopes: {} };
      return { name, broken: null, url, tls: pin(fingerprint), token: new Secret(token), ...own };
    }),
    away: [],
    declaredDir,
    declaredOff: [],
  };
}

function pin(fingerprint: string): TlsPin {
  return { kind: 'fingerprint', sha256: [fingerprint.replaceAll(':', '').toLowerCase()] };
}

function cluster({ name, url, fingerprint, tokenId, tokenSecret }: Simulator['clusters'][number]): ClusterSettings {
  const api = { urls: [url], tokenId, tokenSecret: new Secret(tokenSecret), tls: pin(fingerprint) };
  return {
    ...{ name, broken: null, api, ssh: null, pollSeconds: 10, readsPerPoll: 50 },
    ...{ addressScope: 'default', addressScopes: [] },
  };
}

function host(simulated: Simulator['hosts'][number]): HostSettings {
  const { name, cluster: of, host: address, port, user, privateKey, hostKeyFingerprint } = simulated;
  const ssh = { host: address, port, user, key: new Secret(privateKey), passphrase: null, hostKeyFingerprint };
  return { name, cluster: of, broken: null, ssh, collect: ['neighbours', 'hardware'] };
}

function unifi({ name, url, fingerprint, site, signIn, ...login }: Simulator['unifi'][number]): UnifiSettings {
  const { username, password, apiKey } = login;
  return {
    ...{ name, broken: null, url, tls: pin(fingerprint), site },
    login:
      signIn === 'apiKey'
        ? { kind: 'apiKey', key: new Secret(apiKey) }
        : { kind: 'password', username, password: new Secret(password) },
  };
}
