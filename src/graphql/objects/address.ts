import { Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { AddressClassEnum, AddressSightingEnum } from './enums.js';
import { AddressEvidence, Guest } from './guest.js';

@ObjectType({ description: 'A declaration of an address', simpleResolvers: true })
export class AddressDeclarer {
  @Field(() => String, { description: 'Name of the file or service' })
  source: string;
  @Field(() => String, { description: '`file:line`, or a URL' })
  location: string;
  @Field(() => String, { description: 'The name it is given there' })
  label: string;
  @Field(() => [Int], { description: 'VMIDs it is declared for; none where the declaration names no guest' })
  vmids: number[];
}

@ObjectType({ description: 'A guest that carries an address', simpleResolvers: true })
export class AddressCarrier {
  @Field(() => ID, { description: 'Id of the guest' })
  guestId: string;
  @Field(() => Guest, { nullable: true, description: 'The guest itself, where the caller may see it' })
  guest: unknown;
  @Field(() => String, { description: 'Key of the network device that bears it' })
  interface: string;
  @Field(() => String, { nullable: true, description: 'MAC of that device' })
  mac: string | null;
  @Field(() => Boolean, { description: 'Whether it was handed out by a server, not fixed by people' })
  dynamic: boolean;
  @Field(() => [AddressEvidence], {
    description: 'Who says so; the first one decides. Of a moment in the past: without who was seen answering',
  })
  evidence: AddressEvidence[];
}

@ObjectType({ description: 'Somebody seen answering for an address', simpleResolvers: true })
export class AddressSighting {
  @Field(() => AddressSightingEnum, { description: 'Who saw it' })
  by: string;
  @Field(() => String, { description: 'Name of that source, such as `ip_neigh:main/pve1`' })
  source: string;
  @Field(() => String, { description: 'MAC that answered' })
  mac: string;
  @Field(() => DateTime, { nullable: true, description: 'When it last answered; null: it is only remembered' })
  at: number | null;
  @Field(() => Boolean, { description: 'Whether another one answered in its place (proxy, control plane)' })
  secondHand: boolean;
  @Field(() => String, { description: 'Where, in words' })
  where: string;
}

@ObjectType({
  description: 'An address of the estate: who declares it, who carries it, who was seen with it',
  simpleResolvers: true,
})
export class Address {
  @Field(() => ID, { description: '`scope/address`; the bare address in scope `default`' })
  id: string;
  @Field(() => String, { description: 'The address in canonical text' })
  address: string;
  @Field(() => String, { description: 'The scope it lives in' })
  scope: string;
  @Field(() => Int, { description: '4 or 6' })
  family: number;
  @Field(() => AddressClassEnum, { nullable: true, description: 'What special use it has; null: an ordinary one' })
  class: string | null;
  @Field(() => [AddressDeclarer], { description: 'Who declares it, in order of precedence' })
  declaredBy: AddressDeclarer[];
  @Field(() => [AddressCarrier], { description: 'Which guests carry it' })
  carriedBy: AddressCarrier[];
  @Field(() => [AddressSighting], {
    description: 'Who was seen answering for it, newest first. Of a moment in the past: nobody, as that is not kept',
  })
  seen: AddressSighting[];
  @Field(() => Int, {
    description:
      'Where nobody carries it: how many running guests of its scope could not be asked. Of a moment in the past: 0, as that is not kept',
  })
  unread: number;
}

export const AddressConnection = connectionOf('Address', 'addresses', () => Address);
