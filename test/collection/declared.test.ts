import { expect, it } from 'vitest';
import { declaredCollector } from '../../src/collection/declared.js';
import type { Declaration, DeclaredOutcome, KeptDeclaration } from '../../src/domain/declaration.js';
import { MINUTE } from '../../src/domain/time.js';
import { aView, ip, THEN } from '../testkit/view.js';

const CONF = 'ip-addresses.conf';

const row = (label: string, address: string): Declaration => ({
  kind: 'address',
  key: label,
  location: `${CONF}:1`,
  label,
  address: ip(address),
  prefixLength: null,
});

it('a row that is new came after the last look that did not show it, also where nothing was written of that look', async () => {
  // What is kept was read at THEN; its content has the hash ''.
  const view = aView({ declared: { [CONF]: [{ label: 'WEB', address: '10.0.0.1' }] } });
  const web = row('WEB', '10.0.0.1');
  let outcome: DeclaredOutcome = { kind: 'absent', at: THEN, reason: '' };
  const collector = declaredCollector({
    file: { name: CONF, collect: async () => outcome },
    now: () => outcome.at,
    confirmed: async () => null,
    pending: async () => {},
  });
  const look = async (at: number, rows: readonly Declaration[], contentHash: string) => {
    const of = { askedAt: at, rows, rowCount: rows.length, declaresGuests: false, declaresAddresses: true };
    outcome = { kind: 'observed', at, contentHash, value: { ...of, problems: [], keyConflicts: [] } };
    const run = { mode: 'POLL', view, asked: [], progress: () => {} } as const;
    const { batch } = await collector.run(run, new AbortController().signal);
    return batch.writes.flatMap((write) =>
      write.op === 'put' && write.version.kind === 'declared.row'
        ? [[write.version.key, (write.version.body as KeptDeclaration).since, write.version.priorReadAt]]
        : [],
    );
  };
  expect(await look(THEN + 10 * MINUTE, [web], '')).toEqual([]);
  expect(await look(THEN + 16 * MINUTE, [web], '')).toEqual([]);
  const since = { after: THEN + 16 * MINUTE, before: THEN + 17 * MINUTE };
  const changed = [web, row('DB', '10.0.0.2')];
  expect(await look(THEN + 17 * MINUTE, changed, 'more')).toEqual([['DB', since, since.after]]);
  // That one was not learned: what is known is not what was seen last, and says itself when it was read.
  const [, later] = (await look(THEN + 18 * MINUTE, changed, 'more'))[0] ?? [];
  expect(later).toEqual({
    after: view.declared.get(`declared:${CONF}`)?.state.lastAttemptAt,
    before: THEN + 18 * MINUTE,
  });
});
