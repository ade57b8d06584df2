import { Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { ConfidenceEnum } from './enums.js';
import { Guest } from './guest.js';
import { ProxmoxNode } from './node.js';

@ObjectType({ description: 'The proxy that takes what is sent to a public name', simpleResolvers: true })
export class PortMapProxy {
  @Field(() => ID, { description: 'Id of the proxy host: `its proxy/number`' })
  id: string;
  @Field(() => String, { description: 'Name of the source, such as `npm:edge-proxy`' })
  source: string;
  @Field(() => String, { nullable: true, description: 'Path that goes elsewhere than the host itself' })
  path: string | null;
  @Field(() => String, { description: 'Where it is sent, as written: an address or a name' })
  forwardHost: string;
  @Field(() => Int, { description: 'Port it is sent to' })
  forwardPort: number;
  @Field(() => DateTime, { nullable: true, description: 'When the proxy was last read' })
  collectedAt: number | null;
}

@ObjectType({ description: 'The machine behind a proxy', simpleResolvers: true })
export class PortMapLan {
  @Field(() => String, { nullable: true, description: 'Its address' })
  address: string | null;
  @Field(() => Guest, { nullable: true, description: 'The guest that it is, where it is one' })
  guest: unknown;
  @Field(() => ProxmoxNode, { nullable: true, description: 'The node that it runs on, or is' })
  node: unknown;
  @Field(() => ConfidenceEnum, { description: 'How sure that is' })
  confidence: string;
}

@ObjectType({ description: 'The switch port that a machine hangs on', simpleResolvers: true })
export class PortMapSwitch {
  @Field(() => String, { nullable: true, description: 'Name of the source, such as `unifi:campus`' })
  source: string | null;
  @Field(() => String, { nullable: true, description: 'MAC of the switch' })
  device: string | null;
  @Field(() => String, { nullable: true, description: 'Name of the switch' })
  name: string | null;
  @Field(() => Int, { nullable: true, description: 'Number of the port' })
  port: number | null;
  @Field(() => DateTime, { nullable: true, description: 'When the switch last saw it there' })
  seenAt: number | null;
  @Field(() => ConfidenceEnum, { description: 'How sure that is; never surer than the way to the machine' })
  confidence: string;
}

@ObjectType({
  description: 'A public name on its way: proxy, address and port, guest, node, switch port',
  simpleResolvers: true,
})
export class PortMapRow {
  @Field(() => ID, { description: 'Its place: name, path and proxy host' })
  id: string;
  @Field(() => String, { description: 'The public name' })
  publicHostname: string;
  @Field(() => PortMapProxy, { description: 'The proxy that answers to it' })
  proxy: PortMapProxy;
  @Field(() => PortMapLan, { description: 'The machine behind it' })
  lan: PortMapLan;
  @Field(() => PortMapSwitch, { description: 'The switch port of that machine' })
  switch: PortMapSwitch;
}

export const PortMapConnection = connectionOf('PortMap', 'port map rows', () => PortMapRow);
