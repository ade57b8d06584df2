import type { AgentState, Guest, Nic } from './guest.js';

/** What is told of a guest that is made; the rest is made up. */
export interface NewGuest {
  readonly vmid: number;
  readonly name: string;
  readonly kind?: Guest['kind'];
  readonly node?: string;
  readonly nics?: readonly Nic[];
  readonly agent?: AgentState;
  readonly power?: 'running' | 'stopped';
  readonly tags?: readonly string[];
  readonly lock?: string | null;
}

/** A guest of which nothing is said. */
export const BLANK = {
  power: 'stopped',
  template: false,
  prelaunch: false,
  tags: [],
  pool: null,
  lock: null,
  ha: null,
  cores: 2,
  memoryMiB: 2048,
  diskGiB: 16,
  agent: 'none',
  system: 'linux',
  group: '',
} as const;
