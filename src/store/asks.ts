import type { DataSource } from 'typeorm';
import { explaining, type Sql } from './connection.js';
import { AskEntity } from './entities/ask.js';
import { text, timestamp } from './sql-values.js';
import type { Store } from './store.js';

type Part = { readonly part: string; readonly key: string };

export function asksOf(database: DataSource): Store['asks'] {
  const asks = database.getRepository(AskEntity);
  return {
    open: (source) =>
      explaining(async () => {
        const rows = await asks.find({ where: { source }, order: { at: 'ASC', part: 'ASC', key: 'ASC' } });
        return rows.map(({ part, key }) => ({ part, key }));
      }),
  };
}

/** Asking twice is asking once, at the earlier time. */
export async function addAsks(sql: Sql, at: number, source: string, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  await sql.run(
    `INSERT INTO asks (source, part, key, at)
     SELECT $1, ask.part, ask.key, $2 FROM unnest($3::text[], $4::text[]) AS ask (part, key)
         ON CONFLICT (source, part, key) DO NOTHING`,
    [source, timestamp(at), parts.map((p) => p.part), parts.map((p) => text(p.key))],
  );
}

export async function clearAsks(sql: Sql, source: string, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  await sql.run(
    `DELETE FROM asks
      USING unnest($2::text[], $3::text[]) AS ask (part, key)
      WHERE asks.source = $1 AND asks.part = ask.part AND asks.key = ask.key`,
    [source, parts.map((p) => p.part), parts.map((p) => text(p.key))],
  );
}
