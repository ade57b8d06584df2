import type { NpmCert, NpmForward, NpmHost, NpmModel, NpmRedirect, NpmTarget } from '../npm-model.js';

export const NPM_VERSIONS = {
  '2.9': '2.9.22',
  '2.12': '2.12.6',
  '2.13': '2.13.7',
  '2.14': '2.14.0',
  '2.15': '2.15.1',
} as const;
export type NpmVersion = keyof typeof NPM_VERSIONS;

/** `2.12` < `2.13`: what a version does differently from those before it. */
export function isFrom(version: NpmVersion, first: NpmVersion): boolean {
  return Number(version.slice(2)) >= Number(first.slice(2));
}

export interface NpmDialect {
  readonly version: NpmVersion;
  /** Which database it keeps its rows in: SQLite tells times as it keeps them, until 2.13. */
  readonly database: 'sqlite' | 'mysql';
}

export const NPM_USER = { id: 2, email: 'reader@example.net', name: 'Reader', nickname: 'reader' } as const;

/** The rows of each list as this version tells them. */
export class NpmRows {
  readonly #model: NpmModel;
  readonly #dialect: NpmDialect;
  readonly #now: () => number;

  constructor(model: NpmModel, dialect: NpmDialect, now: () => number) {
    this.#model = model;
    this.#dialect = dialect;
    this.#now = now;
  }

  /** Of `/api/nginx/<list>`; undefined where there is no such list. */
  list(list: string, expand: ReadonlySet<string>): object[] | undefined {
    switch (list) {
      case 'proxy-hosts':
        return byDomains(this.#model.hosts).map((host) => ({ ...this.#host(host), ...this.#expanded(host, expand) }));
      case 'redirection-hosts':
        return byDomains(this.#model.redirects).map((row) => ({
          ...this.#redirect(row),
          ...this.#expanded(row, expand),
        }));
      case 'streams':
        return this.#model.forwards.map((row) => ({
          ...this.#forward(row),
          ...this.#expanded(NO_CERTIFICATE, expand),
        }));
      case 'certificates':
        return byDomains(this.#model.certificates).map((row) => ({
          ...this.#certificate(row),
          ...this.#owner(expand),
        }));
      case 'dead-hosts':
      case 'access-lists':
        return [];
      default:
        return undefined;
    }
  }

  user(expand: ReadonlySet<string>, visibility: 'all' | 'user'): object {
    const may = (what: string) => [what, 'view'] as const;
    const lists = ['proxy_hosts', 'redirection_hosts', 'dead_hosts', 'streams', 'access_lists', 'certificates'];
    const permissions = { visibility, ...Object.fromEntries(lists.map(may)) };
    return { ...this.#person(), ...(expand.has('permissions') ? { permissions } : {}) };
  }

  flag(value: boolean): boolean | 0 | 1 {
    return isFrom(this.#dialect.version, '2.12') ? value : value ? 1 : 0;
  }

  #person(): object {
    const avatar = '//www.gravatar.com/avatar/0?default=mm';
    return { ...this.#times(EPOCH), ...NPM_USER, is_disabled: this.flag(false), avatar, roles: [] };
  }

  #owner(expand: ReadonlySet<string>): object {
    return expand.has('owner') ? { owner: this.#person() } : {};
  }

  #expanded({ certificateId }: { readonly certificateId: number }, expand: ReadonlySet<string>): object {
    const found = this.#model.certificates.find(({ id }) => id === certificateId);
    return {
      ...this.#owner(expand),
      ...(expand.has('certificate') ? { certificate: found === undefined ? null : this.#certificate(found) } : {}),
      ...(expand.has('access_list') ? { access_list: null } : {}),
    };
  }

  #host(host: NpmHost): object {
    const { version } = this.#dialect;
    const { locations } = host;
    return {
      ...this.#head(host),
      domain_names: [...host.domains].sort(),
      ...forwarded(host.target),
      access_list_id: 0,
      ...this.#secured(host.certificateId),
      caching_enabled: this.flag(false),
      allow_websocket_upgrade: this.flag(true),
      meta: meta(host.error),
      enabled: this.flag(host.enabled),
      locations: locations?.map(({ path, target }) => ({ path, advanced_config: '', ...forwarded(target) })) ?? null,
      ...(isFrom(version, '2.14') ? { trust_forwarded_proto: this.flag(false) } : {}),
    };
  }

  #redirect(row: NpmRedirect): object {
    return {
      ...this.#head(row),
      domain_names: [...row.domains].sort(),
      forward_http_code: 301,
      forward_scheme: 'auto',
      forward_domain_name: row.to,
      preserve_path: this.flag(true),
      ...this.#secured(row.certificateId),
      meta: meta(null),
      enabled: this.flag(true),
    };
  }

  #forward({ incoming, target, udp, ...row }: NpmForward): object {
    return {
      ...this.#head(row),
      incoming_port: incoming,
      forwarding_host: target.host,
      forwarding_port: target.port,
      tcp_forwarding: this.flag(true),
      udp_forwarding: this.flag(udp),
      meta: meta(null),
      enabled: this.flag(true),
      ...(isFrom(this.#dialect.version, '2.12') ? { certificate_id: 0 } : {}),
    };
  }

  #certificate(row: NpmCert): object {
    const { provider } = row;
    const challenge = provider === 'letsencrypt' ? { letsencrypt_agree: true, dns_challenge: false } : {};
    // Until 2.13 what was uploaded is told to whoever may see the row.
    const uploaded = provider === 'other' && !isFrom(this.#dialect.version, '2.13');
    return {
      ...this.#head(row),
      provider,
      nice_name: row.name,
      domain_names: [...row.domains].sort(),
      expires_on: this.#time(row.expiresAt(this.#now())),
      meta: uploaded ? { certificate: 'simulated', certificate_key: 'simulated' } : challenge,
    };
  }

  #head({ id, createdAt }: { readonly id: number; readonly createdAt: number }): object {
    return { id, ...this.#times(createdAt), owner_user_id: 1 };
  }

  #secured(certificateId: number): object {
    const off = this.flag(false);
    return {
      certificate_id: certificateId,
      ssl_forced: this.flag(certificateId > 0),
      ...{ block_exploits: this.flag(true), advanced_config: '', http2_support: this.flag(certificateId > 0) },
      ...{ hsts_enabled: off, hsts_subdomains: off },
    };
  }

  #times(at: number): object {
    return { created_on: this.#time(at), modified_on: this.#time(at) };
  }

  #time(at: number): string {
    const text = new Date(at).toISOString();
    const asKept = this.#dialect.database === 'sqlite' && !isFrom(this.#dialect.version, '2.13');
    return asKept ? text.slice(0, 19).replace('T', ' ') : text.replace(/\.\d+Z$/, '.000Z');
  }
}

const NO_CERTIFICATE = { certificateId: 0 };
const EPOCH = Date.UTC(2025, 0, 6, 9, 0, 4);

function forwarded({ scheme, host, port }: NpmTarget): object {
  return { forward_scheme: scheme, forward_host: host, forward_port: port };
}

/** Of the config file alone: that nginx took it says nothing of what is behind. */
function meta(error: string | null): object {
  return { nginx_online: error === null, nginx_err: error };
}

function byDomains<R extends { readonly domains: readonly string[] }>(rows: readonly R[]): R[] {
  const key = ({ domains }: R) => [...domains].sort().join();
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
