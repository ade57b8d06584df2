import type { Principal } from '../domain/access.js';

/** What a route is asked, as it came: `query` holds a list where a name was given more than once. */
export interface RestRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly ifNoneMatch: string | undefined;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One route of the shim. It throws DomainError where it has no answer; the server knows the status of each code. */
export interface RestRoute {
  readonly method: 'GET';
  /** With `:name` for a parameter. */
  readonly path: string;
  answer(principal: Principal, request: RestRequest): Promise<RestAnswer>;
}
