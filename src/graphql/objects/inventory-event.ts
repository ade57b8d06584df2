import { Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { GuestKindEnum, InventoryEventTypeEnum } from './enums.js';
import { Guest } from './guest.js';

@ObjectType({ description: 'Something that happened to a guest', simpleResolvers: true })
export class InventoryEvent {
  @Field(() => String, { description: 'Place in the event log, for `after`' })
  cursor: string;
  @Field(() => InventoryEventTypeEnum, { description: 'What happened' })
  type: string;
  @Field(() => DateTime, { description: 'When it was seen' })
  at: number;
  @Field(() => ID, { description: 'Id of the guest' })
  guestId: string;
  @Field(() => Guest, { nullable: true, description: 'The guest as it is now; null once it is gone' })
  guest: unknown;
  @Field(() => String, { nullable: true, description: 'Its name as of the event' })
  name: string | null;
  @Field(() => GuestKindEnum, { description: 'Its kind' })
  kind: string;
  @Field(() => String, { nullable: true, description: 'Node or status before' })
  from: string | null;
  @Field(() => String, { nullable: true, description: 'Node or status after' })
  to: string | null;
}
