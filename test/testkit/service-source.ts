import { onTestFinished } from 'vitest';
import type { Outcome, Progress } from '../../src/domain/observation.js';
import type { ServiceObservation } from '../../src/domain/record.js';

/** The source of a service, as its tests ask it. */
export interface ServiceSource {
  collect(request: { readonly progress: Progress }, signal: AbortSignal): Promise<Outcome<ServiceObservation>>;
  close(): Promise<void>;
}

/** Closed when the test that opened it ends. */
export function keep<T extends { close(): Promise<void> }>(opened: T): T {
  onTestFinished(() => opened.close());
  return opened;
}

export function collect(source: ServiceSource): Promise<Outcome<ServiceObservation>> {
  return source.collect({ progress: () => {} }, new AbortController().signal);
}

/** What a pass saw; throws where it saw nothing. */
export async function observe(source: ServiceSource): Promise<ServiceObservation> {
  const outcome = await collect(source);
  if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

/** Why a pass saw nothing, as a person reads it; else what became of it. */
export async function reason(source: ServiceSource): Promise<string> {
  const outcome = await collect(source);
  return outcome.kind === 'unreachable' ? outcome.reason : outcome.kind;
}

interface Faulty<F> {
  readonly faults: { set(change: Partial<F>): void; clear(): void };
}

/** The reason that a simulated service with this fault gives; afterwards it has none. */
export async function reasonUnder<F>({ faults }: Faulty<F>, fault: Partial<F>, source: ServiceSource): Promise<string> {
  faults.set(fault);
  try {
    return await reason(source);
  } finally {
    faults.clear();
  }
}

/** Recognises the simulated services, which all show one certificate. */
export function pinOf({ fingerprint }: { readonly fingerprint: string }) {
  return { kind: 'fingerprint', sha256: [fingerprint.toLowerCase().replaceAll(':', '')] } as const;
}
