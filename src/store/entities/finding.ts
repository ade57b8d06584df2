import { Column, Entity, PrimaryColumn } from 'typeorm';
import type {
  Decided,
  DeclaredFact,
  DriftCategory,
  DriftFindingKind,
  DriftFindingState,
  Evidence,
  Severity,
  SubjectKind,
} from '../../domain/finding.js';
import type { Instant } from '../../domain/time.js';
import { INSTANT, INSTANT_OR_NULL } from './instant.js';

@Entity('findings')
export class FindingEntity {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  kind: DriftFindingKind;

  @Column({ type: 'text' })
  subjectKind: SubjectKind;

  @Column({ type: 'text' })
  subjectId: string;

  @Column({ type: 'text' })
  field: string;

  @Column({ type: 'text' })
  state: DriftFindingState;

  @Column({ type: 'text' })
  severity: Severity;

  @Column({ type: 'text' })
  category: DriftCategory;

  @Column({ type: 'text', nullable: true })
  declared: string | null;

  @Column({ type: 'text', nullable: true })
  observed: string | null;

  @Column({ type: 'jsonb' })
  declaredBy: readonly DeclaredFact[];

  @Column({ type: 'jsonb' })
  evidence: readonly Evidence[];

  @Column({ type: 'text' })
  message: string;

  @Column({ type: 'jsonb' })
  guests: readonly string[];

  @Column({ type: 'jsonb' })
  clusters: readonly string[];

  @Column(INSTANT)
  firstSeenAt: Instant;

  @Column(INSTANT)
  lastSeenAt: Instant;

  @Column(INSTANT_OR_NULL)
  onsetAfter: Instant | null;

  @Column(INSTANT)
  onsetBefore: Instant;

  @Column(INSTANT_OR_NULL)
  resolvedAt: Instant | null;

  @Column({ type: 'integer' })
  occurrences: number;

  @Column(INSTANT_OR_NULL)
  suppressedUntil: Instant | null;

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'jsonb', nullable: true })
  decided: Decided | null;

  /** The sequence number of the transaction that wrote it last: what a replica has not read yet. */
  @Column({ type: 'bigint', select: false })
  changedSeq: bigint;

  /** Every cluster it belongs to, by guest or by itself: for filters. */
  @Column({ type: 'text', array: true, select: false })
  inClusters: string[];

  /** Every `cluster/vmid` it belongs to (a cluster of `*` where none is known): for filters. */
  @Column({ type: 'text', array: true, select: false })
  inPlaces: string[];
}
