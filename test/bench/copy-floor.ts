import pg from 'pg';
import type { Batch } from '../../src/domain/version.js';
import { sqlOf } from '../../src/store/connection.js';
import { copyLine } from '../../src/store/copy-lines.js';
import { json, timestamp } from '../../src/store/sql-values.js';
import { costOf } from './measure.js';

/**
 * Milliseconds that PostgreSQL takes for the rows of a batch and nothing else: lines that are ready, tables without an
 * index or a constraint, one transaction. No store of these rows can be faster.
 */
export async function plainCopy(url: string, { writes, reads }: Batch): Promise<number> {
  const versions = writes.flatMap((write) => {
    if (write.op !== 'put') return [];
    const { source, cluster, kind, key, incarnation, body, hash, validFrom } = write.version;
    return [copyLine([source, cluster, kind, key, incarnation, json(body), hash, timestamp(validFrom)])];
  });
  const parts = reads.map(({ source, part, key, state, askedAt }) =>
    copyLine([source, part, key, state, timestamp(askedAt)]),
  );
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const sql = sqlOf(client);
    await sql.run(`CREATE TEMP TABLE floor_versions
      (source text, cluster text, kind text, key text, incarnation int, body jsonb, hash text, valid_from timestamptz)`);
    await sql.run('CREATE TEMP TABLE floor_reads (source text, part text, key text, state text, asked_at timestamptz)');
    const { cost } = await costOf(async () => {
      await sql.run('BEGIN');
      await sql.copy('COPY floor_versions FROM STDIN', versions);
      await sql.copy('COPY floor_reads FROM STDIN', parts);
      await sql.run('COMMIT');
    });
    return cost.ms;
  } finally {
    await client.end();
  }
}
