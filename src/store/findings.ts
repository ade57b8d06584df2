import type pg from 'pg';
import { type DataSource, In, type SelectQueryBuilder } from 'typeorm';
import type { Finding, FindingEvent, FindingId } from '../domain/finding.js';
import type { Instant } from '../domain/time.js';
import { explaining, type Sql } from './connection.js';
import { FindingEntity } from './entities/finding.js';
import { FindingHistoryEntity } from './entities/finding-history.js';
import { keepFindingVersions } from './finding-versions.js';
import { json, text, timestamp } from './sql-values.js';
import type { FindingQuery, Store } from './store.js';

type History = FindingEvent & { readonly cursor: bigint | null };

export function findingsOf(
  database: DataSource,
): Pick<Store['findings'], 'living' | 'changedSince' | 'byIds' | 'page' | 'count' | 'history'> {
  const findings = database.getRepository(FindingEntity);
  const history = database.getRepository(FindingHistoryEntity);
  return {
    living: () =>
      explaining(async () => {
        const rows = await findings.createQueryBuilder('f').where("f.state <> 'RESOLVED'").orderBy('f.id').getMany();
        return rows.map(findingOf);
      }),
    changedSince: (seq) =>
      explaining(async () => {
        // The number first: what is committed meanwhile may be in the rows, and is read once more next time.
        const [row] = await database.query<{ seq: string }[]>('SELECT write_head.seq FROM write_head');
        const head = BigInt(row?.seq ?? 0);
        if (head <= seq) return { seq: head, findings: [] };
        const rows = await findings
          .createQueryBuilder('f')
          .where('f.changed_seq > :seq', { seq: String(seq) })
          .orderBy('f.id')
          .getMany();
        return { seq: head, findings: rows.map(findingOf) };
      }),
    byIds: (ids) =>
      explaining(async () => {
        const rows = ids.length === 0 ? [] : await findings.findBy({ id: In([...ids]) });
        return new Map(rows.map((row) => [row.id, findingOf(row)]));
      }),
    page: (query) => explaining(async () => (await page(findings.createQueryBuilder('f'), query)).map(findingOf)),
    count: (query) => explaining(() => filtered(findings.createQueryBuilder('f'), query).getCount()),
    history: (ids) =>
      explaining(async () => {
        const rows = await history.find({ where: { findingId: In([...ids]) }, order: { id: 'ASC' } });
        return historiesOf(ids, rows, await prunedCursor(database));
      }),
  };
}

function page(builder: SelectQueryBuilder<FindingEntity>, query: FindingQuery): Promise<FindingEntity[]> {
  const wanted = filtered(builder, query);
  if (query.after !== undefined) {
    const at = timestamp(query.after.firstSeenAt);
    wanted.andWhere('(f.first_seen_at, f.id) < (:at, :id)', { at, id: query.after.id });
  }
  if (query.before !== undefined) {
    const at = timestamp(query.before.firstSeenAt);
    wanted.andWhere('(f.first_seen_at, f.id) > (:at, :id)', { at, id: query.before.id });
  }
  const way = query.fromTheEnd === true ? 'ASC' : 'DESC';
  return wanted.orderBy('f.firstSeenAt', way).addOrderBy('f.id', way).limit(query.limit).getMany();
}

function filtered(builder: SelectQueryBuilder<FindingEntity>, query: FindingQuery): SelectQueryBuilder<FindingEntity> {
  const { states, kinds, severities, categories, cluster, vmid, since } = query;
  if (states !== undefined) builder.andWhere('f.state = ANY (:states)', { states });
  if (kinds !== undefined) builder.andWhere('f.kind = ANY (:kinds)', { kinds });
  if (severities !== undefined) builder.andWhere('f.severity = ANY (:severities)', { severities });
  if (categories !== undefined) builder.andWhere('f.category = ANY (:categories)', { categories });
  if (since !== undefined) builder.andWhere('f.first_seen_at >= :since', { since: timestamp(since) });
  if (cluster !== undefined) builder.andWhere('f.in_clusters @> ARRAY[:cluster]::text[]', { cluster });
  if (vmid !== undefined) {
    // A VMID that no cluster is known for belongs to whichever cluster the finding names.
    const ofCluster = cluster === undefined ? '' : "AND split_part(place, '/', 1) IN (:cluster, '*')";
    builder.andWhere(
      `EXISTS (SELECT 1 FROM unnest(f.in_places) AS place WHERE split_part(place, '/', 2) = :vmid ${ofCluster})`,
      { vmid: String(vmid) },
    );
  }
  return builder;
}

function findingOf(row: FindingEntity): Finding {
  const { kind, subjectKind, subjectId, field, inClusters: _, inPlaces: __, changedSeq: ___, ...rest } = row;
  return { ...rest, identity: { kind, subject: { kind: subjectKind, id: subjectId }, field } };
}

function historiesOf(
  ids: readonly FindingId[],
  rows: readonly FindingHistoryEntity[],
  pruned: bigint,
): ReadonlyMap<FindingId, readonly History[]> {
  const histories = new Map<FindingId, History[]>(ids.map((id) => [id, []]));
  for (const { id: _id, cursor, ...step } of rows) {
    // A place that the log no longer reaches back to would only be refused.
    const resumable = cursor !== null && cursor >= pruned ? cursor : null;
    histories.get(step.findingId)?.push({ ...step, cursor: resumable });
  }
  return histories;
}

async function prunedCursor(database: DataSource): Promise<bigint> {
  const rows: readonly { readonly cursor: bigint }[] = await database.query(
    'SELECT write_head.pruned_cursor AS cursor FROM write_head',
  );
  return rows[0]?.cursor ?? 0n;
}

/** One finding as it is in the order of writers. */
export async function findFinding(sql: Sql, id: FindingId): Promise<Finding | undefined> {
  const [row] = await sql.query<FindingEntity & pg.QueryResultRow>(
    `SELECT f.id, f.kind, f.subject_kind AS "subjectKind", f.subject_id AS "subjectId", f.field, f.state, f.severity,
            f.category, f.declared, f.observed, f.declared_by AS "declaredBy", f.evidence, f.message, f.guests,
            f.clusters, f.first_seen_at AS "firstSeenAt", f.last_seen_at AS "lastSeenAt",
            f.onset_after AS "onsetAfter", f.onset_before AS "onsetBefore", f.resolved_at AS "resolvedAt",
            f.occurrences, f.suppressed_until AS "suppressedUntil", f.reason, f.decided
       FROM findings AS f
      WHERE f.id = $1`,
    [text(id)],
  );
  return row === undefined ? undefined : findingOf(row);
}

/** Upserts findings and appends their history, one statement each. */
export async function saveFindings(
  sql: Sql,
  { seq, at: now }: { readonly seq: bigint; readonly at: Instant },
  findings: readonly Finding[],
  history: readonly History[],
): Promise<void> {
  const last = [...new Map(findings.map((f) => [f.id, f])).values()];
  if (last.length > 0) await upsert(sql, seq, last);
  if (history.length > 0) await append(sql, history);
  // A silent step has no time of its own: it is of the transaction's.
  const steps = new Map(history.map((step) => [step.findingId, step.at]));
  if (last.length > 0) await keepFindingVersions(sql, new Map(last.map(({ id }) => [id, steps.get(id) ?? now])));
}

// As one JSON document and not as arrays: SQL's unnest cannot carry a list inside a list.
async function upsert(sql: Sql, seq: bigint, findings: readonly Finding[]): Promise<void> {
  await sql.run(
    `INSERT INTO findings
       (id, kind, subject_kind, subject_id, field, state, severity, category, declared, observed, declared_by, evidence,
        message, guests, clusters, first_seen_at, last_seen_at, onset_after, onset_before, resolved_at, occurrences,
        suppressed_until, reason, decided, in_clusters, in_places, changed_seq)
     SELECT f.id, f.kind, f.subject_kind, f.subject_id, f.field, f.state, f.severity, f.category, f.declared,
            f.observed, f.declared_by, f.evidence, f.message, f.guests, f.clusters, f.first_seen_at, f.last_seen_at,
            f.onset_after, f.onset_before, f.resolved_at, f.occurrences, f.suppressed_until, f.reason,
            f.decided, f.in_clusters, f.in_places, $2
       FROM jsonb_to_recordset($1::jsonb) AS f
            (id text, kind text, subject_kind text, subject_id text, field text, state text, severity text,
             category text, declared text, observed text, declared_by jsonb, evidence jsonb, message text,
             guests jsonb, clusters jsonb, first_seen_at timestamptz, last_seen_at timestamptz,
             onset_after timestamptz, onset_before timestamptz, resolved_at timestamptz, occurrences int,
             suppressed_until timestamptz, reason text, decided jsonb, in_clusters text[], in_places text[])
         ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, severity = excluded.severity, category = excluded.category,
            declared = excluded.declared, observed = excluded.observed, declared_by = excluded.declared_by,
            evidence = excluded.evidence, message = excluded.message, guests = excluded.guests,
            clusters = excluded.clusters, first_seen_at = excluded.first_seen_at,
            last_seen_at = excluded.last_seen_at, onset_after = excluded.onset_after,
            onset_before = excluded.onset_before, resolved_at = excluded.resolved_at,
            occurrences = excluded.occurrences, suppressed_until = excluded.suppressed_until,
            reason = excluded.reason, decided = excluded.decided, in_clusters = excluded.in_clusters,
            in_places = excluded.in_places, changed_seq = excluded.changed_seq`,
    [json(findings.map(rowOf)), seq],
  );
}

function rowOf(f: Finding): Record<string, unknown> {
  return {
    id: f.id,
    kind: f.identity.kind,
    subject_kind: f.identity.subject.kind,
    subject_id: f.identity.subject.id,
    field: f.identity.field,
    state: f.state,
    severity: f.severity,
    category: f.category,
    declared: f.declared,
    observed: f.observed,
    declared_by: f.declaredBy,
    evidence: f.evidence,
    message: f.message,
    guests: f.guests,
    clusters: f.clusters,
    first_seen_at: timestamp(f.firstSeenAt),
    last_seen_at: timestamp(f.lastSeenAt),
    onset_after: timestamp(f.onsetAfter),
    onset_before: timestamp(f.onsetBefore),
    resolved_at: timestamp(f.resolvedAt),
    occurrences: f.occurrences,
    suppressed_until: timestamp(f.suppressedUntil),
    reason: f.reason,
    decided: f.decided,
    ...belonging(f),
  };
}

/** Where a finding belongs: by its guests, by the clusters it names, and by its subject where that is a guest. */
function belonging(f: Finding): { in_clusters: string[]; in_places: string[] } {
  const subject = f.identity.subject.kind === 'GUEST' ? [f.identity.subject.id] : [];
  const places = [...new Set([...f.guests, ...subject].map((id) => id.replace(/@\d+$/, '')))];
  const clusters = places.map((place) => place.slice(0, place.lastIndexOf('/'))).filter((cluster) => cluster !== '*');
  return { in_clusters: [...new Set([...f.clusters, ...clusters])], in_places: places };
}

async function append(sql: Sql, history: readonly History[]): Promise<void> {
  await sql.run(
    `INSERT INTO finding_history (finding_id, at, type, actor, reason, declared, observed, cursor)
     SELECT step.finding_id, step.at, step.type, step.actor, step.reason, step.declared, step.observed, step.cursor
       FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
            WITH ORDINALITY AS step (finding_id, at, type, actor, reason, declared, observed, cursor, n)
      ORDER BY step.n`,
    [
      history.map((h) => h.findingId),
      history.map((h) => timestamp(h.at)),
      history.map((h) => h.type),
      history.map((h) => text(h.actor)),
      history.map((h) => text(h.reason)),
      history.map((h) => text(h.declared)),
      history.map((h) => text(h.observed)),
      history.map((h) => h.cursor),
    ],
  );
}
