import { randomBytes } from 'node:crypto';
import type { ServiceFaults } from './service-faults.js';

export interface SessionNeeds {
  readonly faults: ServiceFaults;
  readonly lifeMs: number;
  readonly now: () => number;
}

export type SessionState = 'open' | 'over' | 'unknown';

/** Who has logged in, and until when. */
export class Sessions {
  readonly #needs: SessionNeeds;
  readonly #until = new Map<string, number>();
  #wasExpired = false;

  constructor(needs: SessionNeeds) {
    this.#needs = needs;
  }

  /** A word that nobody can guess, in the shape of a JSON Web Token: three parts of which clients may read the second. */
  open(claims: Readonly<Record<string, unknown>> = {}): { readonly token: string; readonly until: number } {
    const until = this.#needs.now() + this.#needs.lifeMs;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = part({ alg: 'RS256', typ: 'JWT' });
    const token = `${head}.${part({ ...claims, exp: Math.floor(until / 1000) })}.${randomBytes(32).toString('base64url')}`;
    this.#endWhereExpired();
    this.#until.set(token, until);
    return { token, until };
  }

  stateOf(token: string): SessionState {
    this.#endWhereExpired();
    const until = this.#until.get(token);
    if (until === undefined) return 'unknown';
    return until > this.#needs.now() ? 'open' : 'over';
  }

  close(token: string): void {
    this.#until.delete(token);
  }

  /** What the fault ends is what was open when it was switched on: whoever logs in afterwards goes on. */
  #endWhereExpired(): void {
    const { sessionExpired } = this.#needs.faults.now;
    if (sessionExpired && !this.#wasExpired) for (const token of this.#until.keys()) this.#until.set(token, 0);
    this.#wasExpired = sessionExpired;
  }
}
