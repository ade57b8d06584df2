import type { NetboxFaultSettings } from './faults.js';
import type { NetboxManners } from './version.js';

/** The tokens that open a simulated NetBox. */
export interface NetboxTokens {
  /** 40 hex digits, sent as `Token …`. */
  readonly first: string;
  /** `nbt_<key>.<secret>`, sent as `Bearer …`; known since 4.5. */
  readonly second: string;
}

/** Why credentials are refused, in NetBox's words; undefined when they are good. */
export function refusal(
  tokens: NetboxTokens,
  { secondTokens }: NetboxManners,
  header: string | undefined,
  faults: NetboxFaultSettings,
): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(header ?? '') ?? [];
  const isFirst = scheme.toLowerCase() === 'token';
  const isSecond = scheme.toLowerCase() === 'bearer' && secondTokens;
  // A scheme that it does not know is no credentials at all.
  if (!isFirst && !isSecond) return 'Authentication credentials were not provided.';
  const wanted = isFirst ? tokens.first : tokens.second;
  if (value !== wanted || faults.tokenRevoked)
    return secondTokens ? `Invalid ${isFirst ? 'v1' : 'v2'} token` : 'Invalid token';
  return faults.tokenExpired ? 'Token expired' : undefined;
}
