import type { DataSource } from 'typeorm';
import { explaining, type Sql } from './connection.js';
import { ComparisonEntity } from './entities/comparison.js';
import { timestamp } from './sql-values.js';
import type { ComparisonRecord, Store } from './store.js';

export function comparisonsOf(database: DataSource): Store['comparisons'] {
  const comparisons = database.getRepository(ComparisonEntity);
  return {
    latest: () =>
      explaining(async () => {
        const [row] = await comparisons.find({ order: { seq: 'DESC', id: 'DESC' }, take: 1 });
        return row === undefined ? undefined : { seq: row.seq, at: row.at };
      }),
  };
}

export async function latestComparison(sql: Sql): Promise<ComparisonRecord | undefined> {
  const [row] = await sql.query<{ seq: bigint; at: number }>(
    'SELECT comparisons.seq, comparisons.at FROM comparisons ORDER BY comparisons.seq DESC, comparisons.id DESC LIMIT 1',
  );
  return row;
}

/** How many records stay: only the latest is asked for, a few more tell a person how often the estate is compared. */
const KEPT = 100;

export async function recordComparison(sql: Sql, comparison: ComparisonRecord): Promise<void> {
  await sql.run(
    `WITH old AS (
       DELETE FROM comparisons
        WHERE comparisons.id <= (SELECT max(newest.id) FROM comparisons AS newest) - $3
     )
     INSERT INTO comparisons (seq, at) VALUES ($1, $2)`,
    [comparison.seq, timestamp(comparison.at), KEPT],
  );
}
