import type pg from 'pg';
import { inWriteOrder } from './transaction.js';

/**
 * Forgets all that was ever collected and found, in one transaction: versions, read times, states, runs, findings, events.
 * Keys and marks stay. Cursors go on counting, so a reader of the old events is told that they are gone.
 */
export function forgetCollected(pool: pg.Pool): Promise<void> {
  return inWriteOrder(pool, async (sql, head, announce) => {
    const tables = [
      'versions',
      'part_reads',
      'source_states',
      'runs',
      'finding_history',
      'findings',
      'comparisons',
      'asks',
    ];
    for (const table of tables) await sql.run(`DELETE FROM ${table}`);
    await sql.run('DELETE FROM events');
    await sql.run('UPDATE write_head SET pruned_cursor = write_head.event_cursor');
    announce('inventory', `-:${head.seq}`);
  });
}
