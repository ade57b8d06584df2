import type { Sql } from './connection.js';
import { text } from './sql-values.js';

export async function getMark(sql: Sql, name: string): Promise<string | undefined> {
  const [mark] = await sql.query<{ value: string }>('SELECT marks.value FROM marks WHERE marks.name = $1', [name]);
  return mark?.value;
}

export async function putMark(sql: Sql, name: string, value: string): Promise<void> {
  await sql.run(
    'INSERT INTO marks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    [name, text(value)],
  );
}
