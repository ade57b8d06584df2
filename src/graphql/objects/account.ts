import { Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';

@ObjectType({ description: 'Who is calling', simpleResolvers: true })
export class Viewer {
  @Field(() => ID, { description: '`key:<prefix>`, or the subject of the token' })
  id: string;
  @Field(() => String, { description: 'Name of the key or person' })
  name: string;
  @Field(() => String, { description: 'The person behind the call: two keys of one person are one person' })
  person: string;
  @Field(() => [String], { description: 'Roles' })
  roles: string[];
  @Field(() => [String], { description: 'What the roles allow, as `noun:verb`' })
  permissions: string[];
  @Field(() => [String], { nullable: true, description: 'Tenants it may see; null: all' })
  tenants: string[] | null;
}

@ObjectType({ description: 'An API key, without its secret', simpleResolvers: true })
export class ApiKey {
  @Field(() => ID, { description: 'Id of the key' })
  id: string;
  @Field(() => String, { description: 'First characters of the key' })
  prefix: string;
  @Field(() => String, { description: 'What it is for' })
  name: string;
  @Field(() => String, { description: 'Who uses it' })
  person: string;
  @Field(() => [String], { description: 'Roles it grants' })
  roles: string[];
  @Field(() => [String], { nullable: true, description: 'Tenants it may see; null: all that its roles allow' })
  tenants: string[] | null;
  @Field(() => DateTime, { description: 'When it was made' })
  createdAt: number;
  @Field(() => String, { description: 'Who made it' })
  createdBy: string;
  @Field(() => DateTime, { nullable: true, description: 'When it runs out; null: never' })
  expiresAt: number | null;
  @Field(() => DateTime, { nullable: true, description: 'When it was revoked' })
  revokedAt: number | null;
}
