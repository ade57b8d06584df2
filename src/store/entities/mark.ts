import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A lasting word about the database itself: that it ever held a real run, say. */
@Entity('marks')
export class MarkEntity {
  @PrimaryColumn({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  value: string;
}
