import type { ClusterSettings, ScopeRule } from '../domain/settings.js';
import type { Fields, Report } from './fields.js';
import { CLUSTER_INSTEAD } from './instead.js';
import { allowOnly, entryDoubts } from './named-entries.js';
import { type EntryDoubts, proxmoxApi, type SourcesNeeds } from './proxmox-api-entry.js';
import { sshEntry } from './ssh-entry.js';
import type { Path } from './yaml-file.js';

const KEYS = ['name', 'api', 'ssh', 'pollSeconds', 'readsPerPoll', 'addressScope', 'addressScopes'];
const SCOPE_KEYS = ['node', 'bridge', 'tag', 'perNode', 'scope'];
const SCOPE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

export interface EntryContext {
  readonly needs: SourcesNeeds;
  readonly report: Report;
  /** Where what makes the entry unusable is reported. */
  readonly refuse: Report;
  readonly warn: Report;
  /** `file:line` of a field. */
  locate(path: Path): string;
}

/**
 * Reads a cluster whose name is known. What makes it unusable ends up in `broken`: it is unreachable then, and not retired.
 * A wrong interval falls back to its default; a wrong scope does not, as it would invent duplicates.
 */
export function clusterEntry(name: string, fields: Fields, context: EntryContext): ClusterSettings {
  const doubts = entryDoubts(context);
  const by = fields.has('ssh') && !fields.has('api') ? 'hostKey' : 'certificate';
  allowOnly(fields, KEYS, doubts, { instead: CLUSTER_INSTEAD, by });
  const reached = reachedBy(fields, context.needs, doubts);
  const pollSeconds = fields.wholeNumber('pollSeconds', 1, 3600) ?? 10;
  const readsPerPoll = fields.wholeNumber('readsPerPoll', 1, 10_000) ?? 50;
  const strict = fields.reportingTo(doubts.breaks);
  const addressScope = scopeName(strict, 'addressScope') ?? 'default';
  const addressScopes = scopeRules(strict);
  return {
    name,
    broken: doubts.broken(),
    ...reached,
    pollSeconds,
    readsPerPoll,
    addressScope,
    addressScopes,
  };
}

/** One way to ask is enough: the API tells more, so beside it the other is not used. */
function reachedBy(fields: Fields, needs: SourcesNeeds, doubts: EntryDoubts): Pick<ClusterSettings, 'api' | 'ssh'> {
  const [api, ssh] = [[...fields.path, 'api'] as const, [...fields.path, 'ssh'] as const];
  if (fields.has('api')) {
    if (fields.has('ssh')) doubts.warn(ssh, 'stands beside an api, so it is not used: only the api is asked');
    return { api: proxmoxApi(fields.raw('api'), api, needs, doubts), ssh: null };
  }
  if (fields.has('ssh')) return { api: null, ssh: sshEntry(fields.raw('ssh'), ssh, needs, doubts) };
  doubts.breaks(fields.path, 'has neither api nor ssh: there is nothing to ask');
  return { api: null, ssh: null };
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
