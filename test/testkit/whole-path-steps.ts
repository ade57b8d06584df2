import type pg from 'pg';

/** One row of a finding's history, as it lies in the database. */
export interface Step {
  readonly id: bigint;
  readonly findingId: string;
  readonly at: number;
  readonly type: string;
  readonly actor: string | null;
  readonly reason: string | null;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly cursor: bigint | null;
}

/** What was written of findings since, oldest first. */
export async function stepsAfter(sql: pg.Client, id: bigint): Promise<readonly Step[]> {
  const { rows } = await sql.query<Record<string, string | null> & { at: Date }>(
    `SELECT id, finding_id, at, type, actor, reason, declared, observed, cursor
       FROM finding_history WHERE id > $1 ORDER BY id`,
    [String(id)],
  );
  return rows.map(({ at, ...row }) => ({
    id: BigInt(row.id ?? 0),
    findingId: row.finding_id ?? '',
    at: at.getTime(),
    type: row.type ?? '',
    actor: row.actor ?? null,
    reason: row.reason ?? null,
    declared: row.declared ?? null,
    observed: row.observed ?? null,
    cursor: row.cursor == null ? null : BigInt(row.cursor),
  }));
}

/** A step as the story tells it. */
export function lineOf({ type, findingId, declared, observed, reason, cursor, actor }: Step): string {
  const by = actor === null ? '' : ` by ${actor}`;
  const why = reason === null ? '' : `: ${reason}`;
  return `${cursor === null ? 'silently ' : ''}${type} ${findingId} (declared ${declared}, observed ${observed})${by}${why}`;
}
