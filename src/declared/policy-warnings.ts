import type { DeclaredProblem } from '../domain/declaration.js';
import { holds } from '../domain/ignore.js';
import type { Policy } from '../domain/policy.js';
import { lacksOf, type Means } from '../domain/target-lack.js';
import { type Instant, isoTime } from '../domain/time.js';
import { POLICY_FILE } from './policy-file.js';
import { type Path, pathText, readYaml } from './yaml-file.js';

interface Doubt {
  readonly path: Path;
  readonly message: string;
}

/** What a policy says that has no effect here and now, though it is a policy: told, with its line, and never refused. */
export function policyWarnings(
  { policy, text }: { readonly policy: Policy; readonly text: string },
  means: Means,
  now: Instant,
): readonly DeclaredProblem[] {
  const doubts = [...overRules(policy, now), ...mutedTargets(policy, means)];
  const read = readYaml(text, POLICY_FILE);
  if (read.kind === 'unreadable') return [];
  return doubts.map(({ path, message }) => ({
    location: read.file.locate(path),
    message: `${pathText(path)} ${message}`,
  }));
}

// A policy is taken whole: the n-th rule or target of it is the n-th entry of its list.

function overRules({ ignore }: Policy, now: Instant): readonly Doubt[] {
  return ignore.flatMap((rule, index) =>
    holds(rule, now) || rule.until === null
      ? []
      : {
          path: ['ignore', index, 'until'],
          message: `is over since ${isoTime(rule.until)}: this rule has no effect any more`,
        },
  );
}

function mutedTargets({ notify }: Policy, means: Means): readonly Doubt[] {
  return notify.flatMap((target, index) =>
    lacksOf(target, means).map(({ field, message }) => ({
      path: ['notify', index, field],
      message: `${message} ("${target.id}" is told nothing)`,
    })),
  );
}
