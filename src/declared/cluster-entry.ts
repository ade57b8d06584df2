import type { ClusterSettings, ProxmoxApiSettings, ScopeRule } from '../domain/settings.js';
import type { Fields, Report } from './fields.js';
import { type EntryDoubts, proxmoxApi, refuseInsecure, type SourcesNeeds } from './proxmox-api-entry.js';
import { type Path, pathText } from './yaml-file.js';

const KEYS = ['name', 'api', 'ssh', 'pollSeconds', 'readsPerPoll', 'addressScope', 'addressScopes'];
const SCOPE_KEYS = ['node', 'bridge', 'tag', 'perNode', 'scope'];
const SCOPE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

export interface EntryContext {
  readonly needs: SourcesNeeds;
  readonly report: Report;
  readonly warn: Report;
  /** `file:line` of a field. */
  locate(path: Path): string;
}

/**
 * Reads a cluster whose name is known. What makes it unusable ends up in `broken`: it is unreachable then, and not retired.
 * A wrong interval falls back to its default; a wrong scope does not, as it would invent duplicates.
 */
export function clusterEntry(name: string, fields: Fields, context: EntryContext): ClusterSettings {
  const broken: string[] = [];
  const doubts: EntryDoubts = {
    report: context.report,
    warn: context.warn,
    breaks: (path, message) => {
      broken.push(`${context.locate(path)}: ${pathText(path)} ${message}`);
      context.report(path, message);
    },
  };
  fields.allow([...KEYS, 'insecure']);
  refuseInsecure(fields, doubts);
  const api = apiOf(fields, context.needs, doubts);
  const pollSeconds = fields.wholeNumber('pollSeconds', 1, 3600) ?? 10;
  const readsPerPoll = fields.wholeNumber('readsPerPoll', 1, 10_000) ?? 50;
  const strict = fields.reportingTo(doubts.breaks);
  const addressScope = scopeName(strict, 'addressScope') ?? 'default';
  const addressScopes = scopeRules(strict);
  return {
    name,
    broken: broken.length === 0 ? null : broken.join('; '),
    api,
    pollSeconds,
    readsPerPoll,
    addressScope,
    addressScopes,
  };
}

function apiOf(fields: Fields, needs: SourcesNeeds, { report, breaks, warn }: EntryDoubts): ProxmoxApiSettings | null {
  const ssh = [...fields.path, 'ssh'];
  if (fields.has('api')) {
    if (fields.has('ssh')) warn(ssh, 'is set but this version does not use it: only the api is asked');
    return proxmoxApi(fields.raw('api'), [...fields.path, 'api'], needs, { report, breaks, warn });
  }
  if (fields.has('ssh'))
    breaks(ssh, 'stands alone, but collecting over SSH is not supported by this version: add an api');
  else breaks(fields.path, 'has no api: there is nothing to ask');
  return null;
}

function scopeName(fields: Fields, key: string): string | undefined {
  const name = fields.text(key);
  if (name === undefined || SCOPE_NAME.test(name)) return name;
  fields.report(key, 'must be a name of letters, digits, dots, dashes and underscores');
  return undefined;
}

function scopeRules(fields: Fields): ScopeRule[] {
  return (fields.list('addressScopes') ?? []).flatMap((_, index) => {
    const rule = fields.listEntry('addressScopes', index);
    return rule === undefined ? [] : scopeRule(rule);
  });
}

function scopeRule(rule: Fields): ScopeRule[] {
  rule.allow(SCOPE_KEYS);
  const scope = scopeName(rule, 'scope');
  rule.require(['scope']);
  // A VLAN tag is naturally written as a number.
  const tag = typeof rule.raw('tag') === 'number' ? String(rule.raw('tag')) : rule.text('tag');
  const [node, bridge, perNode] = [rule.text('node'), rule.text('bridge'), rule.flag('perNode') ?? false];
  if (node === undefined && bridge === undefined && tag === undefined && !perNode)
    rule.report('scope', 'names no node, bridge or tag that it is for, nor perNode');
  if (scope === undefined) return [];
  return [{ node: node ?? null, bridge: bridge ?? null, tag: tag ?? null, perNode, scope }];
}
