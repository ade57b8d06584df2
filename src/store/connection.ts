import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { DomainError } from '../domain/errors.js';

/** One connection, for statements written by hand. */
export interface Sql {
  query<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The number of rows that the statement changed. */
  run(statement: string, values?: readonly unknown[]): Promise<number>;
  /** Runs several statements at once and gives the one row of the last. */
  begin<Row extends pg.QueryResultRow>(statements: string): Promise<Row>;
  /** Commits, and throws where Postgres rolled back instead: it answers so, without an error, after a failed statement. */
  commit(): Promise<void>;
  /** Streams lines of COPY's text format, each with its line feed, into `COPY … FROM STDIN`. */
  copy(statement: string, lines: Iterable<string>): Promise<void>;
}

/** What says that the database is not there, rather than that a statement is wrong. Classes 08, 57P, 53; lock and statement time-outs. */
const UNAVAILABLE =
  /^(08...|57P0[1-5]|53[0-9A-Z]{3}|55P03|57014|25P0[34]|ECONN.*|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;
const LOST =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/i;

/** Gives an absent database its code; everything else passes as it is. */
export function explained(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof DomainError) return cause;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (!UNAVAILABLE.test(code) && !LOST.test(cause.message)) return cause;
  return new DomainError('UNAVAILABLE', 'the database does not answer at the moment', { cause });
}

/** Asks through TypeORM, with the same word for an absent database. */
export async function explaining<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw explained(error);
  }
}

/**
 * Lends one connection of the pool to `work`. A connection that broke meanwhile does not go back to the pool,
 * so after a restart of the database the pool heals by handing out new ones.
 */
export async function onConnection<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  try {
    const client = await pool.connect();
    client.on('error', onError);
    try {
      return await work(sqlOf(client));
    } catch (error) {
      if (explained(error) !== error && error instanceof Error) broken ??= error;
      throw error;
    } finally {
      client.removeListener('error', onError);
      client.release(broken);
    }
  } catch (error) {
    throw explained(error);
  }
}

export function sqlOf(client: pg.ClientBase): Sql {
  return {
    async query<Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
      return (await client.query<Row>(statement, [...values])).rows;
    },
    async run(statement, values = []) {
      return (await client.query(statement, [...values])).rowCount ?? 0;
    },
    async begin<Row extends pg.QueryResultRow>(statements: string): Promise<Row> {
      // pg answers several statements with a list of results, which its types do not tell.
      const results = (await client.query<Row>(statements)) as unknown as readonly pg.QueryResult<Row>[];
      const row = results.at(-1)?.rows[0];
      if (row === undefined) throw new Error('the table write_head has lost its row: restore it from a backup');
      return row;
    },
    async commit() {
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back: one of its statements had failed');
    },
    async copy(statement, lines) {
      await pipeline(Readable.from(chunks(lines)), client.query(copyFrom(statement)));
    },
  };
}

const CHUNK = 64 * 1024;

/** Joins lines to buffers worth a packet: a write per line would cost more than the rows. */
function* chunks(lines: Iterable<string>): Generator<string> {
  let buffer = '';
  for (const line of lines) {
    buffer += line;
    if (buffer.length >= CHUNK) {
      yield buffer;
      buffer = '';
    }
  }
  if (buffer !== '') yield buffer;
}
