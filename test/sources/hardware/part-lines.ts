import type { HardwarePart, HardwareReport } from '../../../src/domain/record.js';

const GIB = 2 ** 30;

/** `memory A1 | Samsung | M393A2G40DB0-CPB | 18ABE4AE | 16 GiB | DDR4 2133 MT/s`; what a part does not say is a dash. */
export function partLine({ section, place, vendor, model, serial, sizeBytes, detail }: HardwarePart): string {
  const size = sizeBytes === null ? null : sizeBytes % GIB === 0 ? `${sizeBytes / GIB} GiB` : String(sizeBytes);
  return [`${section} ${place}`, ...[vendor, model, serial, size, detail].map((word) => word ?? '-')].join(' | ');
}

export function partLines({ parts }: Pick<HardwareReport, 'parts'>): readonly string[] {
  return parts.map(partLine);
}
