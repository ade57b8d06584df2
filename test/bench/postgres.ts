import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../../src/store/embedded/start.js';

/** Lends a PostgreSQL of its own to `work`, with the settings of a first start, and leaves nothing behind. */
export async function withPostgres<T>(work: (url: string) => Promise<T>): Promise<T> {
  return withDirectory(async (dataDir) => {
    const server = await startEmbedded({ dataDir });
    try {
      return await work(server.url);
    } finally {
      await server.stop();
    }
  });
}

/** An empty database on a server, for as long as `work` takes: every first pass is then a first one. */
export async function withDatabase<T>(server: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `bench_${randomBytes(4).toString('hex')}`;
  await asAdmin(server, `CREATE DATABASE ${name}`);
  try {
    const url = new URL(server);
    url.pathname = `/${name}`;
    return await work(url.href);
  } finally {
    await asAdmin(server, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

async function asAdmin(server: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}

export async function withDirectory<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'sankofa-bench-'));
  // mkdtemp gives 0700, which PostgreSQL's own user could not enter when this runs as root.
  await chmod(path, 0o755);
  try {
    return await work(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
