import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../../migrations/all.js';
import { connect } from '../../src/store/data-source.js';
import { openStore } from '../../src/store/open.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';

describe('migrations', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase({ empty: true });
  });
  afterEach(() => database.drop());

  it('go up, down to nothing, and up again to the same tables', async () => {
    const { orm } = await connect(database.url, 'test', 2);
    await orm.runMigrations();
    const first = await shape(database.url);
    for (const _ of orm.migrations) await orm.undoLastMigration();
    expect(await shape(database.url)).toEqual([]);
    await orm.runMigrations();
    expect(await shape(database.url)).toEqual(first);
    expect(first.length).toBeGreaterThan(80);
    await orm.destroy();
  });

  it('give every entity exactly its columns', async () => {
    const { orm } = await connect(database.url, 'test', 2);
    await orm.runMigrations();
    for (const entity of orm.entityMetadatas) {
      const columns = await orm.query(
        'SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = $1',
        [entity.tableName],
      );
      const written = new Map<string, string>(
        columns.map((c: { column_name: string; is_nullable: string }) => [c.column_name, c.is_nullable]),
      );
      const mapped = new Map(entity.columns.map((c) => [c.databaseName, c.isNullable ? 'YES' : 'NO']));
      expect(mapped, entity.tableName).toEqual(written);
    }
    await orm.destroy();
  });

  it('turn the last good policy, which was a mark, into a version, and back', async () => {
    const { orm } = await connect(database.url, 'test', 2);
    await orm.runMigrations();
    while (await isApplied(orm, 'Policy1763820000000')) await orm.undoLastMigration();
    const text = 'severities: { NAME_DIFFERS: WARNING } # ünlesbar?\n';
    await orm.query('INSERT INTO marks (name, value) VALUES ($1, $2)', ['policy.yaml', text]);
    await orm.runMigrations();
    expect(await orm.query('SELECT name FROM marks')).toEqual([]);
    const store = await openStore({ url: database.url });
    const { opened, states } = await store.versions.open();
    expect(opened).toMatchObject([
      {
        ...{ source: 'policy:policy.yaml', kind: 'policy', key: 'policy.yaml' },
        body: { text, contentHash: createHash('sha256').update(text).digest('hex') },
      },
    ]);
    expect(states).toMatchObject([{ source: 'policy:policy.yaml', kind: 'policy', outcome: 'OBSERVED' }]);
    expect(states[0]?.lastSuccessAt).toBe(opened[0]?.validFrom);
    await store.close();
    while (await isApplied(orm, 'Policy1763820000000')) await orm.undoLastMigration();
    expect(await orm.query('SELECT name, value FROM marks')).toEqual([{ name: 'policy.yaml', value: text }]);
    await orm.destroy();
  });

  it('are applied once when two processes start at the same time', async () => {
    const stores = await Promise.all([openStore({ url: database.url }), openStore({ url: database.url })]);
    const applied = await Promise.all(stores.map((store) => store.migrate()));
    expect(applied.flat()).toEqual(migrations.map(({ name }) => name));
    expect(await stores[0]?.migrate()).toEqual([]);
    await Promise.all(stores.map((store) => store.close()));
  });
});

async function isApplied(orm: Awaited<ReturnType<typeof connect>>['orm'], name: string): Promise<boolean> {
  return (await orm.query('SELECT FROM migrations WHERE migrations.name = $1', [name])).length > 0;
}

/** Every column and index of ours, in order. */
async function shape(url: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ line: string }>(
    `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
      UNION ALL
     SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migrations'
      ORDER BY 1`,
  );
  await client.end();
  return rows.map((row) => row.line);
}
