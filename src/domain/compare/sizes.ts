import type { DeclaredSize } from '../declaration.js';

const POWER = { MB: 2, GB: 3 } as const;

/**
 * Whether bytes are what was declared, to the unit that the source counts in: nothing says whether that is of 1000 or of
 * 1024 (NetBox counts disks in GB before 4.1, in MB of 1000 or 1024 since), and whoever filled it in had to round.
 */
export function sameSize(bytes: number, declared: DeclaredSize): boolean {
  return meanings(declared).some(({ amount, unit }) =>
    [1_000, 1_024].some((base) => Math.abs(bytes / base ** POWER[unit] - amount) < 1),
  );
}

/** NetBox 4.1 made 48000 MB of what was 48 GB before: whole GB of either base are GB as well. */
function meanings(declared: DeclaredSize): readonly DeclaredSize[] {
  if (declared.unit === 'GB') return [declared];
  const whole = [1_000, 1_024].filter((base) => declared.amount > 0 && declared.amount % base === 0);
  return [declared, ...whole.map((base) => ({ amount: declared.amount / base, unit: 'GB' as const }))];
}

export function declaredSizeText({ amount, unit }: DeclaredSize): string {
  return `${amount} ${unit}`;
}

const UNITS = [
  ['GiB', 1_024 ** 3],
  ['MiB', 1_024 ** 2],
] as const;

/** `4 GiB`, `2252 MiB`: the largest unit that it is a whole number of. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of UNITS) if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  return `${bytes} bytes`;
}
