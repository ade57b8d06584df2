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

const MIB = 1_024 ** 2;
const GIB = 1_024 ** 3;

/**
 * `8 GiB (8192 MiB)`, `2252 MiB (2.2 GiB)`, `512 MiB`: a size may be declared in either unit, so from 1 GiB on both are said,
 * the larger first where it is a whole number.
 */
export function sizeText(bytes: number): string {
  if (bytes === 0 || bytes % MIB !== 0) return `${bytes} bytes${bytes < MIB ? '' : ` (${rounded(bytes)})`}`;
  const [inGib, inMib] = [`${decimal(bytes / GIB)} GiB`, `${bytes / MIB} MiB`];
  if (bytes < GIB) return inMib;
  return bytes % GIB === 0 ? `${inGib} (${inMib})` : `${inMib} (${inGib})`;
}

function rounded(bytes: number): string {
  return bytes < GIB ? `${decimal(bytes / MIB)} MiB` : `${decimal(bytes / GIB)} GiB`;
}

/** To two places, without zeros at its end. */
function decimal(amount: number): string {
  return String(Number(amount.toFixed(2)));
}
