import { join } from 'node:path';
import type { Config } from '../config.js';
import { readContract } from '../declared/contract-file.js';
import { readPolicy } from '../declared/policy-file.js';
import { policyWarnings } from '../declared/policy-warnings.js';
import { declaredFile } from '../declared/source.js';
import { readSources } from '../declared/sources-file.js';
import type { Instant } from '../domain/time.js';
import { DECLARED_FILES } from './estate.js';

/** `error`: something will not be used; `warning`: used, but look; `note`: a file that is not there, and what that means. */
export interface Checked {
  readonly level: 'error' | 'warning' | 'note';
  readonly location: string;
  readonly message: string;
}

const CHECK_TIMEOUT = 10_000;

/** Reads everything the gateway would read at its start, without a database and without asking any source. */
export async function checkSettings(config: Config, now: Instant): Promise<readonly Checked[]> {
  const found: Checked[] = config.warnings.map((message) => ({ level: 'warning', location: 'environment', message }));
  const sources = await readSources(config.configDir, { secret: config.secret });
  switch (sources.kind) {
    case 'absent':
      found.push({
        level: 'note',
        location: 'sources.yaml',
        message: `is not in ${config.configDir}: nothing real is collected`,
      });
      break;
    case 'unreadable':
      found.push({ level: 'error', location: 'sources.yaml', message: sources.message });
      break;
    case 'read':
      found.push(...sources.problems.map((problem) => ({ level: 'error' as const, ...problem })));
      found.push(...sources.settings.warnings.map(warned));
  }
  const policy = await readPolicy(config.configDir, AbortSignal.timeout(CHECK_TIMEOUT));
  if (policy.kind === 'refused')
    found.push(...policy.problems.map((problem) => ({ level: 'error' as const, ...problem })));
  if (policy.kind === 'read')
    found.push(...policyWarnings(policy, config, now).map((problem) => ({ level: 'warning' as const, ...problem })));
  const contract = await readContract(config.configDir);
  found.push(...contract.problems.map((problem) => ({ level: 'error' as const, ...problem })));
  for (const name of DECLARED_FILES) found.push(...(await checkDeclared(config, name)));
  return found;
}

/** A warning of sources.yaml begins with its `file:line: `, as the log has no column for it. */
function warned(warning: string): Checked {
  const [, location = 'sources.yaml', message = warning] = /^(sources\.yaml:\d+): (.*)$/s.exec(warning) ?? [];
  return { level: 'warning', location, message };
}

async function checkDeclared(config: Config, name: (typeof DECLARED_FILES)[number]): Promise<readonly Checked[]> {
  const file = declaredFile({ name, path: join(config.configDir, name) }, { now: () => 0 });
  const outcome = await file.collect({ rows: [], confirmedHash: null }, AbortSignal.timeout(CHECK_TIMEOUT));
  switch (outcome.kind) {
    case 'observed':
      return outcome.value.problems.map((problem) => ({ level: 'warning', ...problem }));
    case 'absent':
      return [{ level: 'note', location: name, message: outcome.reason }];
    case 'unreachable':
      return [{ level: 'error', location: name, message: outcome.reason }];
  }
}
