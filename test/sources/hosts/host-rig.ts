import { afterEach } from 'vitest';
import type { Outcome } from '../../../src/domain/observation.js';
import type { HardwareReport, ServiceObservation } from '../../../src/domain/record.js';
import type { HostSettings, SshSettings } from '../../../src/domain/settings.js';
import type { HostPaths } from '../../../src/sources/hosts/commands.js';
import { type HostSource, type HostSources, hostSources } from '../../../src/sources/hosts/source.js';
import { partLines } from '../hardware/part-lines.js';
import { T0 } from '../proxmox/known.js';

const open: HostSources[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).flatMap(({ neighbours, hardware }) => [neighbours?.close(), hardware?.close()]));
});

export function sourcesOf(
  ssh: SshSettings | null,
  paths: Partial<HostPaths>,
  more: Partial<HostSettings> = {},
): HostSources {
  const settings = {
    name: 'pve1',
    cluster: 'main',
    broken: null,
    ssh,
    collect: ['neighbours', 'hardware'] as const,
    ...more,
  };
  const made = hostSources(settings, { now: () => T0, paths });
  open.push(made);
  return made;
}

export function both({ neighbours, hardware }: HostSources): {
  readonly neighbours: HostSource;
  readonly hardware: HostSource;
} {
  if (neighbours === null || hardware === null) throw new Error('not both are collected');
  return { neighbours, hardware };
}

export const collect = (source: HostSource, signal = new AbortController().signal) =>
  source.collect({ progress: () => {} }, signal);

export function observed(outcome: Outcome<ServiceObservation>): ServiceObservation {
  if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

export async function reasonOf(source: HostSource): Promise<string> {
  const outcome = await collect(source);
  return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
}

/** What of the hardware was read, each record in a few words. */
export function hardwareTold({ records, complete, nodes, notes }: ServiceObservation) {
  const report = records.find(({ kind }) => kind === 'hardware')?.body as HardwareReport | undefined;
  return { sections: report?.sections, parts: report === undefined ? [] : partLines(report), complete, nodes, notes };
}
