import { DAY } from '../../src/domain/time.js';
import type { WholePath } from './whole-path.js';
import type { Step } from './whole-path-steps.js';

const DRIFT_TOPICS = ['detected', 'updated', 'acknowledged', 'suppressed', 'resolved', 'reopened'].map(
  (word) => `drift.${word}`,
);

/** A person's word as it was taken, in the order of taking. */
export interface Said {
  readonly findingId: string;
  readonly kind: 'acknowledge' | 'suppress' | 'reopen';
  readonly until: number;
}

const LIVING = ['OPEN', 'ACKNOWLEDGED', 'SUPPRESSED', 'IGNORED'];

/** Law 4 and the table of a finding's life, told from its history alone and from what people said. */
export function checkLife(
  path: WholePath,
  steps: readonly Step[],
  said: readonly Said[],
  severityStepped: boolean,
): string {
  const words = [...said];
  let state = 'NONE';
  let word: (Said & { readonly of: string }) | undefined;
  let goneAt = 0;
  const legal = (claim: string, is: boolean, step: Step) => {
    if (!is) path.holds(`${claim}: ${step.type} from ${state} at step ${step.id}`, step, word ?? null);
  };
  for (const step of steps) {
    const of = `${step.declared} | ${step.observed}`;
    if (step.actor !== null) {
      const next = words.shift();
      legal('law 4: a person’s step is her word', next !== undefined && next.findingId === step.findingId, step);
      word = next === undefined || next.kind === 'reopen' ? undefined : { ...next, of };
      state = { acknowledge: 'ACKNOWLEDGED', suppress: 'SUPPRESSED', reopen: 'OPEN' }[next?.kind ?? 'reopen'];
      continue;
    }
    const isSilencing = word?.kind === 'suppress' && step.at < word.until;
    const isMeant = word?.kind === 'acknowledge' && word.of === of;
    switch (step.type) {
      case 'OPENED':
        legal('law 3: opened once', state === 'NONE' || state === 'IGNORED', step);
        legal('law 4: her word holds again when a rule ends', state === 'NONE' || !isSilencing, step);
        state = 'OPEN';
        break;
      case 'UPDATED':
        legal('law 2: only what is open is updated', state === 'OPEN', step);
        break;
      case 'RESOLVED':
        legal('law 3: what lives resolves', LIVING.includes(state), step);
        legal('silent is what was ignored', (step.cursor === null) === (state === 'IGNORED'), step);
        [state, goneAt] = ['RESOLVED', step.at];
        break;
      case 'REOPENED':
        if (state === 'ACKNOWLEDGED')
          legal('law 4: an acknowledgement holds for its values', !isMeant || severityStepped, step);
        else if (state === 'SUPPRESSED') legal('law 4: a suppression holds until its end', !isSilencing, step);
        else {
          legal('law 3: what is gone reopens as itself', state === 'RESOLVED', step);
          const isInTime = step.at - goneAt <= DAY;
          legal('law 4: what is so again is held', !isSilencing && !(isMeant && isInTime && !severityStepped), step);
        }
        [state, word] = ['OPEN', undefined];
        break;
      case 'ACKNOWLEDGED':
        legal('law 4: held again for its values', isMeant && step.cursor === null, step);
        state = 'ACKNOWLEDGED';
        break;
      case 'SUPPRESSED':
        legal('law 4: silent again until its end', isSilencing && step.cursor === null, step);
        state = 'SUPPRESSED';
        break;
      case 'IGNORED':
        legal('a rule is no news', step.cursor === null, step);
        state = 'IGNORED';
        break;
      default:
        legal('a step has a name', false, step);
    }
  }
  if (words.length > 0) path.holds('law 4: every word is in the history', words, []);
  return state;
}

/** The findings table, the history and the event log agree with each other and with what people said. */
export async function checkRecord(path: WholePath, said: readonly Said[], severityStepped: boolean): Promise<void> {
  const { store } = path.leader;
  const byFinding = new Map<string, Step[]>();
  for (const step of path.steps) byFinding.set(step.findingId, [...(byFinding.get(step.findingId) ?? []), step]);
  const findings = await store.findings.page({ limit: 1_000 });
  path.holds('every finding has a history', findings.map(({ id }) => id).sort(), [...byFinding.keys()].sort());
  for (const finding of findings) {
    const steps = byFinding.get(finding.id) ?? [];
    const words = said.filter(({ findingId }) => findingId === finding.id);
    // A certificate's severity steps up by itself.
    const state = checkLife(path, steps, words, severityStepped || finding.identity.kind === 'CERTIFICATE_EXPIRING');
    path.holds(`${finding.id} is in the state of its history`, finding.state, state);
    path.holds(`${finding.id} counts its openings`, finding.occurrences, openings(steps));
    path.holds(`law 3: ${finding.id} opened once`, steps[0]?.type === 'OPENED' || steps[0]?.type === 'IGNORED', true);
  }
  const then = await store.findings.pageAsOf(path.world.now + DAY, { limit: 1_000 });
  const brief = (all: typeof findings) =>
    all.map(({ id, state, declared, observed }) => [id, state, declared, observed]);
  path.holds('findings as of now are the findings', brief(then), brief(findings));
  const told = path.steps.filter(({ cursor }) => cursor !== null);
  path.holds(
    'cursors ascend',
    told.every(({ cursor }, i) => i === 0 || (cursor ?? 0n) > (told[i - 1]?.cursor ?? 0n)),
    true,
  );
  const events = await store.events.after(0n, DRIFT_TOPICS, 10_000);
  path.holds(
    'every step that is told is one event',
    events.map(({ cursor, at, payload }) => {
      const { type, findingId, actor, declared, observed } = payload as Record<string, unknown>;
      return { cursor, at, type, findingId, actor, declared, observed };
    }),
    told.map(({ cursor, at, type, findingId, actor, declared, observed }) => {
      return { cursor, at, type, findingId, actor, declared, observed };
    }),
  );
}

/** 1, and once more for each time it came back after it was resolved. */
function openings(steps: readonly Step[]): number {
  return 1 + steps.filter((_, i) => i > 0 && steps[i - 1]?.type === 'RESOLVED').length;
}
