import type { DataSource } from 'typeorm';
import { explaining, type Sql } from './connection.js';
import { MarkEntity } from './entities/mark.js';
import { RunEntity } from './entities/run.js';
import { json, text, timestamp } from './sql-values.js';
import type { RunRecord, Store } from './store.js';

/** The mark that outlives pruned runs: this database has held a run of a real estate. */
export const EVER_REAL = 'ever-real';

/** Neither of the simulated estate (`proxmox:sim-…`, `npm:sim-…`) nor what people wrote down: somebody's machines. */
export function isReal(source: string): boolean {
  return !/^(?:declared:|policy:|\w+:sim-)/.test(source);
}

export async function addRun(sql: Sql, seq: bigint, run: RunRecord): Promise<void> {
  await sql.run(
    `WITH real AS (
       INSERT INTO marks (name, value) SELECT $11::text, $2::text WHERE $12::boolean ON CONFLICT (name) DO NOTHING
     )
     INSERT INTO runs (id, source, mode, started_at, finished_at, outcome, reason, requests, coverage, seq)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      run.id,
      run.source,
      run.mode,
      timestamp(run.startedAt),
      timestamp(run.finishedAt),
      run.outcome,
      text(run.reason),
      run.requests,
      json(run.coverage),
      seq,
      EVER_REAL,
      isReal(run.source),
    ],
  );
}

export function runsOf(database: DataSource): Store['runs'] {
  const runs = database.getRepository(RunEntity);
  return {
    latest: (source) =>
      explaining(async () => toRun(await runs.findOne({ where: { source }, order: { seq: 'DESC' } }))),
    latestBySource: (at) =>
      explaining(async () => {
        const latest = runs
          .createQueryBuilder('run')
          .distinctOn(['run.source'])
          .orderBy('run.source')
          .addOrderBy('run.seq', 'DESC');
        if (at !== undefined) latest.where('run.startedAt <= :at', { at: timestamp(at) });
        const rows = await latest.getMany();
        return new Map(rows.map((row) => [row.source, runOf(row)]));
      }),
    everReal: () => explaining(() => database.getRepository(MarkEntity).existsBy({ name: EVER_REAL })),
  };
}

function toRun(row: RunEntity | null): RunRecord | undefined {
  return row === null ? undefined : runOf(row);
}

function runOf({ seq: _seq, ...run }: RunEntity): RunRecord {
  return run;
}
