import { z } from 'zod';
import { HardwareItem, NeighbourItem, NpmItem, UnifiItem } from './service-schemas.js';

/** The answers of the shim, field by field. The types of the code and the OpenAPI document both come from here. */

const time = z.iso.datetime().describe('UTC, ISO 8601, with Z');
const vmid = z.string().regex(/^\d+$/).describe('VMID, as a string');
const count = z.number().int().min(0);
const ip = z.string().describe('IPv4 or IPv6 address in canonical form');

const BEGINNING = {
  collected_at: time.nullable().describe('Oldest last success among the collectors behind the answer; null before it'),
  stale: z.boolean().describe('One of those collectors is past its stale_after_seconds'),
  seed_unreachable: z.boolean().describe('The last poll of at least one cluster failed; notes name it'),
  notes: z.array(z.string()).describe('What a person should know of how this was collected'),
};

export const Collector = z.object({
  name: z.string().describe('Name of the collector in the contract'),
  last_success_at: time.nullable().describe('Oldest last success among its sources'),
  stale: z.boolean(),
  outcome: z
    .enum(['observed', 'unreachable', 'never', 'not_configured', 'disabled'])
    .describe('The worst among its sources'),
});

export const Summary = z.object({
  ...BEGINNING,
  clusters: count,
  nodes: z.object({ total: count, online: count }),
  guests: z
    .object({ total: count, running: count, stopped: count, unknown: count, templates: count })
    .describe('Templates count only as templates; paused guests count as running'),
  drift: z.object({
    open: count,
    acknowledged: count,
    by_kind: z.record(z.string(), count).describe('Open findings by kind; kinds without any are left out'),
    by_severity: z.record(z.string(), count).describe('Open findings by severity'),
  }),
  collectors: z.array(Collector),
  health_score: z.number().int().min(0).max(100),
  health_score_parts: z
    .object({
      critical: count,
      warning: count,
      info: count,
      guests: count,
      stale_collectors: count,
      lost_by_findings: z.number(),
      lost_by_staleness: z.number(),
    })
    .describe('What the score is made of: open findings, and points of 100 lost'),
});

export const Guest = z.object({
  cluster: z.string(),
  vmid,
  name: z.string().nullable(),
  type: z.enum(['qemu', 'lxc']),
  status: z.enum(['running', 'stopped', 'unknown']).describe('A paused guest is running here'),
  node: z.string(),
  ip: ip.nullable().describe('The declared one that it carries, else its first static one, else its lowest other'),
  ips: z.array(ip).describe('Every address it carries, by network device'),
  mac: z.string().nullable().describe('MAC of its first network device'),
  tags: z.array(z.string()),
  collected_at: time.nullable(),
  template: z.boolean(),
});

export const Node = z.object({
  cluster: z.string(),
  node: z.string(),
  status: z.enum(['online', 'offline', 'unknown']),
  maintenance: z.boolean(),
  ip: ip.nullable(),
  cores: z.number().nullable(),
  memory_bytes: z.number().nullable(),
  disk_bytes: z.number().nullable(),
});

export const Live = z.object({ ...BEGINNING, nodes: z.array(Node), guests: z.array(Guest) });
export const Guests = z.object({ ...BEGINNING, guests: z.array(Guest) });
export const OneGuest = z.object({ ...BEGINNING, guest: Guest });
export const Nodes = z.object({ ...BEGINNING, nodes: z.array(Node) });

const serviceAnswer = <T extends z.ZodType>(item: T) =>
  z.object({
    ...BEGINNING,
    implementation: z.literal('stub').optional().describe('There where no source is configured: nothing is known'),
    items: z.array(item),
  });

export const Npm = serviceAnswer(NpmItem);
export const Unifi = serviceAnswer(UnifiItem);
export const Neighbours = serviceAnswer(NeighbourItem);
export const Hardware = serviceAnswer(HardwareItem);

export const JoinedPortMap = serviceAnswer(
  z.object({
    public_hostname: z.string(),
    path: z.string().nullable().describe('Path that goes elsewhere than the host itself'),
    npm: z.object({ forward_host: z.string(), forward_port: z.number(), collected_at: time.nullable() }),
    lan: z.object({
      ip: ip.nullable(),
      vmid: vmid.nullable(),
      cluster: z.string().nullable(),
      node: z.string().nullable(),
    }),
    switch: z.object({
      device_id: z.string().nullable().describe('MAC of the switch'),
      port: z.number().nullable(),
      confidence: z.enum(['observed', 'declared', 'missing']),
    }),
    confidence: z.enum(['observed', 'declared', 'missing']).describe('How sure it is that the machine is the target'),
  }),
);

const Fact = z.object({ value: z.string(), source: z.string(), location: z.string() });

export const DriftFinding = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(['OPEN', 'ACKNOWLEDGED', 'SUPPRESSED', 'RESOLVED', 'IGNORED']),
  severity: z.enum(['INFO', 'WARNING', 'CRITICAL']),
  category: z.string(),
  subject: z.object({ kind: z.string(), id: z.string() }),
  field: z.string().nullable(),
  declared: z.string().nullable(),
  declared_by: z.array(Fact.extend({ field: z.string(), wins: z.boolean() })),
  observed: z.string().nullable(),
  evidence: z.array(z.object({ source: z.string(), text: z.string(), at: time.nullable() })),
  message: z.string(),
  first_seen_at: time,
  last_seen_at: time,
  onset_after: time.nullable(),
  onset_before: time,
  resolved_at: time.nullable(),
  occurrences: count,
  suppressed_until: time.nullable(),
  reason: z.string().nullable(),
});

export const Drift = z.object({
  ...BEGINNING,
  ip_addresses_conf_ips_not_on_guests: z.array(z.object({ ip, key: z.string(), line: count })),
  guest_ips_not_declared: z.array(z.object({ ip, vmid, name: z.string().nullable() })),
  vmids_not_declared: z.array(z.object({ vmid, name: z.string().nullable(), cluster: z.string(), node: z.string() })),
  declared_vmids_not_live: z.array(
    z.object({ vmid, name: z.string().nullable(), source: z.string(), location: z.string() }),
  ),
  mismatches: z.array(
    z.object({
      vmid,
      field: z.string(),
      declared: z.string().nullable(),
      observed: z.string().nullable(),
      source: z.string(),
    }),
  ),
  duplicate_ips: z.array(z.object({ ip, vmids: z.array(vmid) })),
  declarations_in_conflict: z.array(z.object({ subject: z.string(), field: z.string(), facts: z.array(Fact) })),
  findings: z.array(DriftFinding).describe('Open and acknowledged ones'),
});

const terms = z.looseObject({ refresh_seconds: z.number().optional(), stale_after_seconds: z.number().optional() });

/** The contract is a person's file, served as it is: only its frame is promised. */
export const CollectorContractFile = z.looseObject({ version: z.number(), collectors: z.record(z.string(), terms) });

export const OpenApiDocument = z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });

export const ErrorAnswer = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.object({ field: z.string() }).optional(),
  }),
});

/** By the name they bear in the document. */
export const SCHEMAS = {
  Collector,
  Summary,
  Guest,
  Node,
  Live,
  Guests,
  OneGuest,
  Nodes,
  Npm,
  Unifi,
  Neighbours,
  Hardware,
  JoinedPortMap,
  DriftFinding,
  Drift,
  CollectorContractFile,
  OpenApiDocument,
  ErrorAnswer,
} as const;
export type SchemaName = keyof typeof SCHEMAS;
