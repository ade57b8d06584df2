import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Principal } from '../domain/access.js';
import type { Secret } from '../domain/settings.js';
import type { RestRoute } from '../rest/route.js';
import type { Telemetry } from '../telemetry.js';

/** What a GraphQL operation over HTTP is asked with. Header names are lower case. */
export interface GraphqlRequest {
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The parsed JSON of a POST; undefined for GET. */
  readonly body: unknown;
  /** The query string with its `?`, or ''. */
  readonly search: string;
}

export interface GraphqlResponse {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

/** All that this room serves, handed in. It knows sockets, and nothing of what travels over them. */
export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Certificate and key, in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Addresses and prefixes whose X-Forwarded-* headers are believed (for the log only: no door opens by them). */
  readonly trustedProxies: readonly string[];
  readonly metricsToken?: Secret | undefined;
  readonly telemetry: Telemetry;
  /** Who is calling; undefined: nobody we know. */
  readonly authenticate: (headers: IncomingMessage['headers']) => Promise<Principal | undefined>;
  readonly graphql: (request: GraphqlRequest, principal: Principal) => Promise<GraphqlResponse>;
  readonly rest: readonly RestRoute[];
  /** Takes over a socket that speaks `graphql-transport-ws`. Its credentials come with connection_init. */
  readonly websocket: (socket: WebSocket, request: IncomingMessage) => void;
  readonly ready: () => { readonly ok: boolean; readonly reasons: readonly string[] };
  /** How long a socket may wait before it says anything, in milliseconds. Default 5 s. */
  readonly initTimeout?: number;
  /** How long open requests and sockets may take to finish when the server closes, in milliseconds. Default 8 s. */
  readonly closeTimeout?: number;
}

export interface RunningServer {
  /** `http://host:port` as really bound. */
  readonly url: string;
  /** No new work, open requests answered, sockets closed with 1001; what is still open then is cut off. Safe to call again. */
  close(): Promise<void>;
}
