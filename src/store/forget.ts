import { getMark } from './marks.js';
import { EVER_REAL } from './runs.js';
import type { Writer } from './transaction.js';

/**
 * Forgets all that was ever collected and found, in one transaction: versions, read times, states, runs, findings, events.
 * Keys, marks and the policy stay. It does nothing where a real run was ever kept. Cursors go on counting, so a reader of the old events is told that they are gone.
 */
export function forgetCollected(writer: Writer): Promise<void> {
  return writer.inTurn(async (sql, head, announce) => {
    // Another gateway may have collected from the real estate meanwhile: that is nobody's to forget.
    if ((await getMark(sql, EVER_REAL)) !== undefined) return;
    // The policy was read from the same file as it will be, and must not lapse where that is gone.
    for (const table of ['versions', 'source_states'])
      await sql.run(`DELETE FROM ${table} WHERE ${table}.kind <> 'policy'`);
    const tables = ['part_reads', 'runs', 'finding_history', 'finding_versions', 'findings', 'comparisons', 'asks'];
    for (const table of tables) await sql.run(`DELETE FROM ${table}`);
    await sql.run('DELETE FROM events');
    await sql.run('UPDATE write_head SET pruned_cursor = write_head.event_cursor');
    announce('inventory', `-:${head.seq}`);
  });
}
