import type { IpAddress } from '../address.js';
import type { Subject } from '../finding.js';

/** `scope/address` → its address; a scope may hold slashes, an address does not. */
export function addressOf(subject: Subject): IpAddress {
  return subject.id.slice(subject.id.lastIndexOf('/') + 1) as IpAddress;
}

/** The subject of an address: the bare text in the scope that is one for all. */
export function addressSubject(scope: string, address: string): Subject {
  return { kind: 'ADDRESS', id: scope === 'default' ? address : `${scope}/${address}` };
}

export function addressKey(subject: Subject): string {
  return subject.id.includes('/') ? subject.id : `default/${subject.id}`;
}
