/** What one piece of work took: on the clock, and of this process's processors. */
export interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

export const NOTHING: Cost = { ms: 0, cpuMs: 0 };

/** Times work. On a shared machine the processor time is the steadier of the two figures. */
export async function costOf<T>(work: () => T | Promise<T>): Promise<{ readonly result: T; readonly cost: Cost }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const ms = performance.now() - start;
  return { result, cost: { ms, cpuMs: cpuMs(process.cpuUsage(cpu)) } };
}

export function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000;
}

export function plus(a: Cost, b: Cost): Cost {
  return { ms: a.ms + b.ms, cpuMs: a.cpuMs + b.cpuMs };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

export function medianCost(costs: readonly Cost[]): Cost {
  return { ms: median(costs.map((cost) => cost.ms)), cpuMs: median(costs.map((cost) => cost.cpuMs)) };
}
