import { type Guest, isListedRunning, type SimNode } from '../guest.js';
import { hashOf } from '../random.js';

/** The figures of statistics, which nobody relies on: new ones each round of the statistics daemon. */
export interface Figures {
  readonly uptime: number;
  readonly cpu: number;
  readonly mem: number;
  readonly disk: number;
  readonly netin: number;
  readonly netout: number;
  readonly diskread: number;
  readonly diskwrite: number;
}

export const ROUND_MS = 10_000;
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

export function guestFigures(guest: Guest, now: number): Figures {
  if (!isListedRunning(guest)) {
    return { uptime: 0, cpu: 0, mem: 0, disk: 0, netin: 0, netout: 0, diskread: 0, diskwrite: 0 };
  }
  const uptime = uptimeOf(guest.startedAt, now);
  const noise = (Math.imul(guest.vmid, 2_654_435_761) ^ Math.floor(now / ROUND_MS)) >>> 0;
  const part = (noise % 1000) / 1000;
  return {
    uptime,
    cpu: part / 4,
    mem: Math.floor(guest.memoryMiB * MIB * (0.3 + part / 2)),
    disk: guest.kind === 'qemu' ? 0 : Math.floor((guest.diskGiB * GIB) / 3),
    netin: uptime * 1_733 + (noise % 1500),
    netout: uptime * 911 + (noise % 900),
    diskread: uptime * 377,
    diskwrite: uptime * 2_111,
  };
}

/** Where the clock stands before the start, as it may in a test, the guest runs for an hour. */
export function uptimeOf(startedAt: number, now: number): number {
  return now < startedAt ? 3600 : Math.floor((now - startedAt) / 1000);
}

export function nodeFigures(node: SimNode, now: number): { cpu: number; mem: number; disk: number; uptime: number } {
  const part = (hashOf(node.name, Math.floor(now / ROUND_MS)) % 1000) / 1000;
  return {
    cpu: 0.05 + part / 3,
    mem: Math.floor(node.memoryBytes * (0.4 + part / 5)),
    disk: Math.floor(node.diskBytes * 0.21),
    uptime: uptimeOf(node.startedAt, now),
  };
}
