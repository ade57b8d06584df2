import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { DriftEventType } from '../../domain/finding.js';
import type { Instant } from '../../domain/time.js';
import { INSTANT } from './instant.js';

/** One step of a finding's life. It outlives the event log, so its cursor may point before the log's beginning. */
@Entity('finding_history')
export class FindingHistoryEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: bigint;

  @Column({ type: 'text' })
  findingId: string;

  @Column(INSTANT)
  at: Instant;

  @Column({ type: 'text' })
  type: DriftEventType;

  @Column({ type: 'text', nullable: true })
  actor: string | null;

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'text', nullable: true })
  declared: string | null;

  @Column({ type: 'text', nullable: true })
  observed: string | null;

  @Column({ type: 'bigint', nullable: true })
  cursor: bigint | null;
}
