import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Instant } from '../../domain/time.js';
import type { ApiKeyRow } from '../store.js';
import { INSTANT, INSTANT_OR_NULL } from './instant.js';

@Entity('api_keys')
export class ApiKeyEntity implements ApiKeyRow {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text', unique: true })
  prefix: string;

  @Column({ type: 'text' })
  hash: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  person: string;

  @Column({ type: 'jsonb' })
  roles: readonly string[];

  @Column({ type: 'jsonb', nullable: true })
  tenants: readonly string[] | null;

  @Column(INSTANT)
  createdAt: Instant;

  @Column({ type: 'text' })
  createdBy: string;

  @Column(INSTANT_OR_NULL)
  expiresAt: Instant | null;

  @Column(INSTANT_OR_NULL)
  revokedAt: Instant | null;
}
