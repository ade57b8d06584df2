import type { Estate } from './estate.js';
import type { Guest } from './guest.js';
import { spareAddress } from './network-plan.js';
import { type PlantedDrift, placeOf } from './plant.js';
import { below, hashOf, seeded, shuffled } from './random.js';

export interface NpmTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/** What all rows of a proxy manager have. */
interface NpmRow {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface NpmHost extends NpmRow {
  readonly domains: readonly string[];
  readonly target: NpmTarget;
  /** null: a row from before there were locations. */
  readonly locations: readonly { readonly path: string; readonly target: NpmTarget }[] | null;
  /** 0: none. */
  readonly certificateId: number;
  readonly enabled: boolean;
  /** Why nginx did not take it. */
  readonly error: string | null;
}

export interface NpmRedirect extends NpmRow {
  readonly domains: readonly string[];
  readonly to: string;
  readonly certificateId: number;
}

export interface NpmForward extends NpmRow {
  readonly incoming: number;
  readonly target: Omit<NpmTarget, 'scheme'>;
  readonly udp: boolean;
}

export interface NpmCert extends NpmRow {
  readonly provider: 'letsencrypt' | 'other';
  readonly name: string;
  readonly domains: readonly string[];
  /** Milliseconds since 1970, at that moment: what renews itself has always more than a month left. */
  expiresAt(now: number): number;
}

export interface NpmModel {
  readonly hosts: readonly NpmHost[];
  readonly redirects: readonly NpmRedirect[];
  readonly forwards: readonly NpmForward[];
  readonly certificates: readonly NpmCert[];
  readonly planted: readonly PlantedDrift[];
  /** `cluster/vmid` of guests that must stay as they are, or what is planted is no longer so. */
  readonly touched: ReadonlySet<string>;
}

export interface NpmModelNeeds {
  readonly estates: readonly Estate[];
  readonly seed: number;
  /** What the proxy manager is called where it is named as a source. */
  readonly name: string;
  /** When the estate was set up: what is about to expire is so from here on. */
  readonly at: number;
  /** `cluster/vmid` of guests that something else is planted on. */
  readonly untouchable?: ReadonlySet<string>;
}

/** By the kind of service, as guests are called: `web-03` listens on 80. */
const PORTS: Readonly<Record<string, number>> = { web: 80, api: 8080, blockscout: 4000, minio: 9001, monitor: 3000 };
const STREAMS: Readonly<Record<string, number>> = { postgres: 5432, redis: 6379, besu: 30_303 };
/** Nobody keeps a thousand of them by hand. */
const MOST_HOSTS = 60;
const MOST_STREAMS = 8;
const DAY = 86_400_000;
const EPOCH = Date.UTC(2025, 0, 6, 9, 12, 41);
/** Let's Encrypt's are good for 90 days, and renewed when a month is left: this is a day before that. */
const LIFE = 90 * DAY;
const RENEWED_AFTER = 58 * DAY;
/** The last of the planted addresses: those that are planted in the declared files begin with the first. */
const NOBODYS_SPARE = 230;

/** The proxy in front of the estates, made by hand over the years as such things are: the same for the same seed. */
export function npmModel(needs: NpmModelNeeds): NpmModel {
  return new Setup(needs).model();
}

interface Place {
  readonly estate: Estate;
  readonly guest: Guest;
}

class Setup {
  readonly #needs: NpmModelNeeds;
  readonly #planted: PlantedDrift[] = [];
  readonly #touched = new Set<string>();
  readonly #hosts: NpmHost[] = [];
  readonly #certificates: NpmCert[] = [];
  readonly #domain = 'apps.example.net';

  constructor(needs: NpmModelNeeds) {
    this.#needs = needs;
  }

  model(): NpmModel {
    const places = this.#places();
    this.#wildcards();
    const served = places.filter(({ guest }) => guest.power === 'running' && serviceOf(guest) in PORTS);
    for (const place of served.slice(0, MOST_HOSTS)) this.#serve(place);
    this.#elsewhere();
    this.#plantTargets(places.find(({ guest }) => guest.power === 'stopped'));
    return {
      hosts: this.#hosts,
      redirects: [
        { id: 1, createdAt: EPOCH, domains: ['example.net', 'www.example.net'], to: this.#domain, certificateId: 1 },
      ],
      forwards: this.#forwards(places),
      certificates: this.#certificates,
      planted: this.#planted,
      touched: this.#touched,
    };
  }

  /** Guests whose address is written down, so that it is known where they are; in an order that is the seed's. */
  #places(): Place[] {
    const { estates, seed, untouchable } = this.#needs;
    const all = estates.flatMap((estate) => estate.guests().map((guest) => ({ estate, guest })));
    return shuffled(seeded(seed, 'npm'), all).filter(
      ({ estate, guest }) =>
        !guest.template &&
        guest.lock === null &&
        guest.nics[0]?.v4?.by === 'config' &&
        untouchable?.has(placeOf(estate, guest.vmid)) !== true,
    );
  }

  #wildcards(): void {
    const { at, name } = this.#needs;
    this.#certificate('letsencrypt', [`*.${this.#domain}`, this.#domain], renewed(EPOCH));
    const day = Math.floor(at / DAY) * DAY;
    const soon = this.#certificate('other', ['vpn.example.net'], () => day + 4.9 * DAY);
    const later = this.#certificate('other', ['mail.example.net'], () => day + 19.5 * DAY);
    for (const id of [soon, later])
      this.#planted.push({ kind: 'CERTIFICATE_EXPIRING', subject: `${name}/${id}`, field: '' });
  }

  #certificate(provider: NpmCert['provider'], domains: readonly string[], expiresAt: NpmCert['expiresAt']): number {
    const id = this.#certificates.length + 1;
    const createdAt = EPOCH + id * DAY;
    this.#certificates.push({ id, createdAt, provider, name: domains[0] ?? '', domains, expiresAt });
    return id;
  }

  #serve({ estate, guest }: Place): void {
    const random = seeded(this.#needs.seed, 'npm', guest.uuid);
    const host = addressOf(guest);
    const port = portOf(guest);
    const name = this.#needs.estates.length === 1 ? guest.name : `${guest.name}.${estate.name}`;
    const domains = [`${name}.${this.#domain}`];
    const chance = random();
    if (chance < 0.15) domains.push(`${guest.name}.example.net`);
    const own = chance < 0.15 ? this.#certificate('letsencrypt', domains, renewed(EPOCH + below(random, 58) * DAY)) : 1;
    const { v6 } = guest.nics[0] ?? {};
    this.#host({
      domains,
      target: {
        scheme: chance > 0.9 ? 'https' : 'http',
        host: v6?.by === 'config' && chance < 0.5 ? v6.address : host,
        port,
      },
      locations: chance < 0.3 ? null : chance < 0.45 ? this.#locations(host, port) : [],
      certificateId: chance > 0.85 ? 0 : own,
      enabled: true,
      error: null,
    });
  }

  #locations(host: string, port: number): NpmHost['locations'] {
    return [
      { path: '/api', target: { scheme: 'http', host, port: port + 1 } },
      // A host of a location may carry a path.
      { path: '/static', target: { scheme: 'http', host: `${host}/assets/`, port } },
    ];
  }

  /** What is neither a guest's nor an address: containers beside the proxy, names of others, and what is switched off. */
  #elsewhere(): void {
    const rest = { locations: null, certificateId: 1, error: null };
    const at = (host: string, port: number): NpmTarget => ({ scheme: 'http', host, port });
    this.#host({ ...rest, domains: [`portainer.${this.#domain}`], target: at('portainer', 9000), enabled: true });
    this.#host({ ...rest, domains: [`status.${this.#domain}`], target: at('status.example.org', 80), enabled: true });
    this.#host({ ...rest, domains: [`old.${this.#domain}`], target: at('192.168.77.9', 8081), enabled: false });
  }

  #plantTargets(stopped: Place | undefined): void {
    const rest = { locations: [], certificateId: 1, enabled: true, error: null };
    const [estate] = this.#needs.estates;
    if (estate !== undefined) {
      const host = spareAddress(estate.index, 'planted', NOBODYS_SPARE);
      const id = this.#host({
        ...rest,
        domains: [`wiki.${this.#domain}`],
        target: { scheme: 'http', host, port: 8080 },
      });
      this.#plant('PROXY_TARGET_UNKNOWN', id, `${host}:8080`);
    }
    if (stopped === undefined) return;
    const target: NpmTarget = { scheme: 'http', host: addressOf(stopped.guest), port: portOf(stopped.guest) };
    const id = this.#host({ ...rest, domains: [`${stopped.guest.name}-legacy.${this.#domain}`], target });
    this.#touched.add(placeOf(stopped.estate, stopped.guest.vmid));
    this.#plant('PROXY_TARGET_STOPPED', id, `${target.host}:${target.port}`);
  }

  #plant(kind: string, id: number, field: string): void {
    this.#planted.push({ kind, subject: `${this.#needs.name}/${id}`, field });
  }

  #host(row: Omit<NpmHost, 'id' | 'createdAt'>): number {
    const id = this.#hosts.length + 1;
    this.#hosts.push({ ...row, id, createdAt: EPOCH + (hashOf(this.#needs.seed, 'host', id) % 200) * DAY });
    return id;
  }

  #forwards(places: readonly Place[]): NpmForward[] {
    const streamed = places.filter(({ guest }) => guest.power === 'running' && serviceOf(guest) in STREAMS);
    return streamed.slice(0, MOST_STREAMS).map(({ guest }, i) => {
      const port = STREAMS[serviceOf(guest)] ?? 0;
      const target = { host: addressOf(guest), port };
      return { id: i + 1, createdAt: EPOCH + i * DAY, incoming: 20_000 + i, target, udp: port === STREAMS.besu };
    });
  }
}

/** `web` of `web-03`. */
function serviceOf({ name }: Guest): string {
  return name.replace(/-?\d.*$/, '');
}

function portOf(guest: Guest): number {
  return PORTS[serviceOf(guest)] ?? 8080;
}

function addressOf({ nics }: Guest): string {
  return nics[0]?.v4?.address ?? '';
}

function renewed(from: number): NpmCert['expiresAt'] {
  return (now) => from + Math.max(0, Math.floor((now - from) / RENEWED_AFTER)) * RENEWED_AFTER + LIFE;
}
