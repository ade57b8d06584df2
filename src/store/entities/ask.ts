import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Instant } from '../../domain/time.js';
import { INSTANT } from './instant.js';

/** A part that somebody wants read soon: the comparison in doubt, or a person. */
@Entity('asks')
export class AskEntity {
  @PrimaryColumn({ type: 'text' })
  source: string;

  @PrimaryColumn({ type: 'text' })
  part: string;

  @PrimaryColumn({ type: 'text' })
  key: string;

  @Column(INSTANT)
  at: Instant;
}
