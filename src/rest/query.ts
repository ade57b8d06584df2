import { DomainError } from '../domain/errors.js';
import type { GuestStatus, NodeStatus } from '../domain/guest.js';
import type { RestRequest } from './route.js';

/** What `?status=` may ask of guests; PAUSED is a way of running here. */
const GUEST_STATUSES: Readonly<Record<string, readonly GuestStatus[]>> = {
  running: ['RUNNING', 'PAUSED'],
  stopped: ['STOPPED'],
  unknown: ['UNKNOWN'],
};
const NODE_STATUSES: Readonly<Record<string, readonly NodeStatus[]>> = {
  online: ['ONLINE'],
  offline: ['OFFLINE'],
  unknown: ['UNKNOWN'],
};

/** A parameter that may be given once, or not at all; empty is not at all. */
export function textParameter({ query }: RestRequest, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new DomainError('VALIDATION_ERROR', `give ${name} once`, { field: [name] });
}

export function guestStatuses(request: RestRequest): readonly GuestStatus[] | undefined {
  return wordOf(textParameter(request, 'status'), GUEST_STATUSES);
}

export function nodeStatuses(request: RestRequest): readonly NodeStatus[] | undefined {
  return wordOf(textParameter(request, 'status'), NODE_STATUSES);
}

function wordOf<T>(word: string | undefined, words: Readonly<Record<string, T>>): T | undefined {
  if (word === undefined) return undefined;
  const key = word.toLowerCase();
  if (!Object.hasOwn(words, key)) {
    const message = `status must be one of ${Object.keys(words).join(', ')}`;
    throw new DomainError('VALIDATION_ERROR', message, { field: ['status'] });
  }
  return words[key];
}

/** Proxmox gives VMIDs from 100 to 999999999; a lower one is simply not there. */
export function vmidParameter({ params }: RestRequest): number {
  const text = params.vmid ?? '';
  if (!/^\d{1,9}$/.test(text)) {
    throw new DomainError('VALIDATION_ERROR', 'vmid must be a number of up to 9 digits', { field: ['vmid'] });
  }
  return Number(text);
}
