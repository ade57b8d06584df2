import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Instant } from '../../domain/time.js';
import { INSTANT } from './instant.js';

/** Up to which sequence number view and declarations were compared, and when. */
@Entity('comparisons')
export class ComparisonEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: bigint;

  @Column({ type: 'bigint' })
  seq: bigint;

  @Column(INSTANT)
  at: Instant;
}
