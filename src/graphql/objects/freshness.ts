import { Field, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';

@ObjectType({
  description: 'How old an answer is, and whether that is older than the collector’s contract allows',
  simpleResolvers: true,
})
export class Freshness {
  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it was last collected; null: never, or of a moment in the past, of which single polls are not kept',
  })
  collectedAt: number | null;
  @Field(() => Int, { nullable: true, description: 'Seconds since then' })
  ageSeconds: number | null;
  @Field(() => Boolean, {
    description:
      'Whether it is older than the contract allows, or can no longer be trusted. Of a moment in the past: as far as an outage was written down',
  })
  stale: boolean;
  @Field(() => String, { nullable: true, description: 'Why it is not newer; null while all is well' })
  reason: string | null;
}
