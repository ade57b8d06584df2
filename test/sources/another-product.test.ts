import { describe, expect, it } from 'vitest';
import { type NetboxSettings, Secret } from '../../src/domain/settings.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { netboxSource } from '../../src/sources/netbox/source.js';
import { npmSource } from '../../src/sources/npm/source.js';
import { proxmoxSource } from '../../src/sources/proxmox/source.js';
import { unifiSource } from '../../src/sources/unifi/source.js';
import { simulate } from '../simulator/asking.js';
import { keep, pinOf, reason } from '../testkit/service-source.js';
import { npmSettings } from './npm/scripted-npm.js';
import { known } from './proxmox/known.js';
import { all, settings as clusterSettings, never } from './proxmox/source-rig.js';
import { json, scriptedServer } from './scripted-server.js';
import { unifiSettings } from './unifi/scripted-unifi.js';

const SECRET = 'hunter2-of-nobody-else';
const secret = new Secret(SECRET);
const how = { now: Date.now, limits: { backOffMs: 1 } };

/** One door of each product, all behind one certificate. */
function doors({ clusters, npm, unifi, netbox }: Simulator) {
  const [pve, proxy, own, console, dcim] = [clusters[0], npm[0], unifi[0], unifi[1], netbox[0]];
  if (!pve || !proxy || !own || !console || !dcim) throw new Error('the simulated estate lacks a product');
  return {
    tls: pinOf(pve),
    urls: { proxmox: pve.url, npm: proxy.url, controller: own.url, console: console.url, netbox: dcim.url },
  };
}

type Door = keyof ReturnType<typeof doors>['urls'];
type Tls = ReturnType<typeof pinOf>;

/** Why a source that was pointed at this address saw nothing. */
const asked: Readonly<Record<string, (url: string, tls: Tls) => Promise<string>>> = {
  async proxmox(url, tls) {
    const api = { urls: [url], tokenId: 'it@pve!read', tokenSecret: secret, tls };
    const source = keep(proxmoxSource(clusterSettings([], { api }), how));
    const outcome = await source.collect({ known: known(), plan: all }, never());
    return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
  },
  npm: (url, tls) => reason(keep(npmSource(npmSettings(url, { tls, secret }), how))),
  'unifi by password': (url, tls) =>
    reason(
      keep(
        unifiSource(unifiSettings(url, { tls, login: { kind: 'password', username: 'it', password: secret } }), how),
      ),
    ),
  'unifi by key': (url, tls) =>
    reason(keep(unifiSource(unifiSettings(url, { tls, login: { kind: 'apiKey', key: secret } }), how))),
  async netbox(url, tls) {
    const settings: NetboxSettings = {
      name: 'nb',
      broken: null,
      url,
      tls,
      token: secret,
      vmidField: 'vmid',
      clusters: {},
      vrfScopes: {},
    };
    const request = { known: new Map(), confirmedHash: null, asked: null, progress: () => {} };
    const { outcome } = await keep(netboxSource(settings, how)).collect(request, never());
    return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
  },
};

const STRANGERS: Readonly<Record<string, readonly Door[]>> = {
  proxmox: ['npm', 'controller', 'console', 'netbox'],
  npm: ['proxmox', 'controller', 'console', 'netbox'],
  'unifi by password': ['proxmox', 'npm', 'netbox'],
  'unifi by key': ['proxmox', 'npm', 'netbox'],
  netbox: ['proxmox', 'npm', 'controller', 'console'],
};

describe('Nginx Proxy Manager’s source, at a product that says much of a refused login', () => {
  it('leaves its words out: they would run together with ours', async () => {
    const words = 'this needs an API key that is valid: send it as a bearer';
    const other = keep(
      await scriptedServer((_, response) => json(response, { error: { message: words } }, 401, 'Unauthorized')),
    );
    expect(await reason(keep(npmSource(npmSettings(other.url, { secret }), how)))).toBe(
      `${other.url} answers, but is not Nginx Proxy Manager's API: 401 Unauthorized with JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between`,
    );
  });
});

describe('a source that is pointed at another product', () => {
  it('says so in one sentence, and blames no credentials', async () => {
    const { tls, urls } = doors(await simulate({ nodes: 1, guests: 4, services: true }));
    const said: Record<string, string> = {};
    for (const [source, others] of Object.entries(STRANGERS))
      for (const door of others) {
        const words = (await asked[source]?.(urls[door], tls)) ?? '';
        expect(words).not.toContain(SECRET);
        said[`${source} at ${door}`] = words.replaceAll(urls[door], '');
      }
    expect(said).toEqual({
      'proxmox at console':
        ': it answers, but is not a Proxmox API: 404 Not Found; check the URL and its port, and whether a proxy or a login page stands in between (asked for /cluster/resources)',
      'proxmox at controller':
        ': it answers, but is not a Proxmox API: 404 Not Found; check the URL and its port, and whether a proxy or a login page stands in between (asked for /cluster/resources)',
      'proxmox at netbox':
        ': it answers, but is not a Proxmox API: 404 Not Found; check the URL and its port, and whether a proxy or a login page stands in between (asked for /cluster/resources)',
      'proxmox at npm':
        ': it answers, but is not a Proxmox API: 403 Forbidden with JSON of another kind; check the URL and its port, and whether a proxy or a login page stands in between (asked for /cluster/resources)',
      'npm at console':
        " answers, but is not Nginx Proxy Manager's API: 404 Not Found with JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
      'npm at controller':
        " answers, but is not Nginx Proxy Manager's API: 401 Unauthorized with JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
      'npm at netbox':
        " answers, but is not Nginx Proxy Manager's API: 301 Moved Permanently with an empty answer at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
      'npm at proxmox':
        " answers, but is not Nginx Proxy Manager's API: 404 no such file with an HTML page at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
      'unifi by password at netbox':
        ' answers, but not as UniFi does: 301 Moved Permanently with an empty answer at /api/auth/login; something else answers there: check url and its port',
      'unifi by password at npm':
        ' answers, but not as UniFi does: 403 Forbidden with JSON of another kind at /api/auth/login; something else answers there: check url and its port',
      'unifi by password at proxmox':
        ' answers, but not as UniFi does: 404 no such file with an HTML page at /api/auth/login; something else answers there: check url and its port',
      'unifi by key at netbox':
        ' answers, but not as UniFi does: 404 Not Found with an HTML page at /integration/v1/sites; something else answers there: check url and its port, and that Network 9.0 or later runs there',
      'unifi by key at npm':
        ' answers, but not as UniFi does: 403 Forbidden with JSON of another kind at /integration/v1/sites; something else answers there: check url and its port, and that Network 9.0 or later runs there',
      'unifi by key at proxmox':
        ' answers, but not as UniFi does: 404 no such file with an HTML page at /integration/v1/sites; something else answers there: check url and its port, and that Network 9.0 or later runs there',
      'netbox at console':
        '/api/status/: 404 Not Found: there is no NetBox API at this address, or no such list in its version; check url and its path',
      'netbox at controller':
        '/api/status/: 401 Unauthorized: it does not sound like NetBox; check url, and whether a proxy in between asks for a login',
      'netbox at npm':
        '/api/status/: 403 Forbidden: it does not sound like NetBox; check url, and whether a proxy in between asks for a login',
      'netbox at proxmox':
        '/api/status/: 404 no such file: there is no NetBox API at this address, or no such list in its version; check url and its path',
    });
  });
});
