import type { ColumnOptions } from 'typeorm';
import type { Instant } from '../../domain/time.js';

/** A moment: timestamptz in SQL, milliseconds in the domain. The connections' parser already reads it as a number. */
export const INSTANT: ColumnOptions = {
  type: 'timestamptz',
  transformer: {
    to: (at: unknown) => (typeof at === 'number' ? new Date(at) : at),
    from: (at: Instant | null) => at,
  },
};

export const INSTANT_OR_NULL: ColumnOptions = { ...INSTANT, nullable: true };
