import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Embedded, startEmbedded } from '../../src/store/embedded/start.js';
import { makeTemplate, systemPostgres, useServer } from '../testkit/postgres.js';

// The same claims as on the embedded server, on the PostgreSQL that this machine has: what DATABASE_URL leads to.
const binDir = await systemPostgres();
const missing = binDir === undefined;

if (missing && process.env.REQUIRE_ALL_PARTS === '1') {
  it('needs a PostgreSQL server (postgres, initdb)', () => {
    expect.fail('none is on the PATH or in /usr/lib/postgresql, and REQUIRE_ALL_PARTS is set');
  });
}

describe.skipIf(missing)(
  `on the system's PostgreSQL server${missing ? ' (missing: postgres, initdb)' : ''}`,
  async () => {
    let home: string;
    let server: Embedded;
    let release: () => void;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'sankofa-system-pg-'));
      await chmod(home, 0o755);
      server = await startEmbedded({
        dataDir: home,
        ...(binDir === undefined ? {} : { binDir }),
        settings: { fsync: 'off' },
      });
      await makeTemplate(server.url);
      release = useServer(server.url);
    });
    afterAll(async () => {
      release();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    });

    for (const claims of ['./migrations.test.js', './versions.test.js', './store.test.js', './order.test.js']) {
      await import(claims);
    }
  },
);
