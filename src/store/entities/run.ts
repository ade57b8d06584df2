import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Instant } from '../../domain/time.js';
import type { RunRecord } from '../store.js';
import { INSTANT } from './instant.js';

@Entity('runs')
export class RunEntity implements RunRecord {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  source: string;

  @Column({ type: 'text' })
  mode: RunRecord['mode'];

  @Column(INSTANT)
  startedAt: Instant;

  @Column(INSTANT)
  finishedAt: Instant;

  @Column({ type: 'text' })
  outcome: RunRecord['outcome'];

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'integer' })
  requests: number;

  @Column({ type: 'jsonb' })
  coverage: RunRecord['coverage'];

  /** The sequence number of its transaction: the order of runs, whatever their clocks say. */
  @Column({ type: 'bigint' })
  seq: bigint;
}
