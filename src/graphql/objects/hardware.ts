import { Field, Int, ObjectType } from 'type-graphql';
import { BigIntScalar } from '../scalars.js';
import { HardwareSectionEnum, SmartVerdictEnum } from './enums.js';
import { Freshness } from './freshness.js';

@ObjectType({ description: 'One part of a machine', simpleResolvers: true })
export class HardwarePart {
  @Field(() => HardwareSectionEnum, { description: 'What kind of part it is' })
  section: string;
  @Field(() => String, { description: 'Where it sits: a slot, a PCI address, a device name' })
  place: string;
  @Field(() => String, { nullable: true, description: 'Who made it' })
  vendor: string | null;
  @Field(() => String, { nullable: true, description: 'Model of the part' })
  model: string | null;
  @Field(() => String, { nullable: true, description: 'Serial number of the part' })
  serial: string | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Size of a memory module or a disk, in bytes' })
  sizeBytes: number | null;
  @Field(() => String, { nullable: true, description: 'What else tells it from another: a speed, a MAC' })
  detail: string | null;
}

@ObjectType({ description: 'What SMART says of a disk', simpleResolvers: true })
export class DiskHealth {
  @Field(() => String, { description: 'Serial number; the device where it has none' })
  disk: string;
  @Field(() => String, { description: 'Device name when it was read' })
  device: string;
  @Field(() => String, { nullable: true, description: 'Model of the disk' })
  model: string | null;
  @Field(() => SmartVerdictEnum, { description: 'Verdict of SMART' })
  verdict: string;
  @Field(() => Int, { nullable: true, description: 'Remaining life in percent' })
  lifeLeftPercent: number | null;
  @Field(() => [String], { description: 'Counters that explain the verdict' })
  counters: string[];
}

@ObjectType({ description: 'A package update that waits on a node', simpleResolvers: true })
export class PackageUpdate {
  @Field(() => String, { description: 'Name of the package' })
  name: string;
  @Field(() => String, { nullable: true, description: 'Installed version; null: it is new' })
  installed: string | null;
  @Field(() => String, { description: 'Version that waits' })
  available: string;
  @Field(() => String, { nullable: true, description: 'Where it comes from' })
  origin: string | null;
}

@ObjectType({ description: 'The machine that a node is', simpleResolvers: true })
export class NodeHardware {
  @Field(() => String, { description: 'How it was read: `SSH` or `API`' })
  by: string;
  @Field(() => [HardwareSectionEnum], { description: 'Sections that were read; of others nothing is known' })
  sections: string[];
  @Field(() => [HardwarePart], { description: 'Its parts, by section and place' })
  parts: HardwarePart[];
  @Field(() => [DiskHealth], { description: 'Health of its disks' })
  disks: DiskHealth[];
  @Field(() => [PackageUpdate], {
    nullable: true,
    description: 'Updates that wait; null where they could not be read (Sys.Modify is needed)',
  })
  updates: PackageUpdate[] | null;
  @Field(() => Freshness, { description: 'How old this knowledge is' })
  freshness: Freshness;
}
