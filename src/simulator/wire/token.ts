import type { PveVersion } from '../guest.js';

/** An API token: `user@realm!name`, its secret, and what it may do everywhere. */
export interface Token {
  readonly id: string;
  readonly secret: string;
}

/** The role PVEAuditor, the right to ask agents, and the log. */
export const PRIVILEGES = [
  'VM.Audit',
  'Sys.Audit',
  'Sys.Syslog',
  'Datastore.Audit',
  'Pool.Audit',
  'SDN.Audit',
  'Mapping.Audit',
] as const;

/** Asking agents was VM.Monitor's until 9. */
export function agentPrivileges(version: PveVersion): readonly string[] {
  return version === '9.1' ? ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'] : ['VM.Monitor'];
}

/** Why credentials are refused, in pveproxy's words; undefined when they are good, null when there are none. */
export function refusal(token: Token, header: string | undefined, revoked: boolean): string | null | undefined {
  if (header === undefined) return null;
  const given = /^PVEAPIToken[= ]([^!]+)!([^=]+)=(.+)$/.exec(header);
  if (given === null) return null;
  const [, user = '', name = '', secret = ''] = given.map((part) => decoded(part));
  if (`${user}!${name}` !== token.id || revoked) return `no such token '${name}' for user '${user}'`;
  return secret === token.secret ? undefined : 'invalid token value!';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
