import type { Decided, Finding } from './finding.js';
import { isGraver } from './severity.js';

export function sameValues(
  a: Pick<Finding, 'declared' | 'observed'>,
  b: Pick<Finding, 'declared' | 'observed'>,
): boolean {
  return a.declared === b.declared && a.observed === b.observed;
}

/** The reason of an update. The values stand beside it, where they are hidden from whom they do not concern. */
export function whatChanged(before: Meant, after: Meant): string {
  return [
    ...(before.declared === after.declared ? [] : ['what is declared changed']),
    ...(before.observed === after.observed ? [] : ['what is observed changed']),
    ...(before.severity === after.severity ? [] : [`its severity was ${before.severity}, now it is ${after.severity}`]),
  ].join('; ');
}

export function acknowledgedOther(word: Meant, next: Meant): string {
  return `the acknowledgement was about something else: ${whatChanged(word, next)}`;
}

export function sameFacts(a: Finding['declaredBy'], b: Finding['declaredBy']): boolean {
  return (
    a.length === b.length &&
    a.every((fact, i) => {
      const { field, value, source, location, wins } = b[i] ?? fact;
      const isAlike = fact.field === field && fact.value === value && fact.source === source;
      return isAlike && fact.location === location && fact.wins === wins;
    })
  );
}

type Meant = Pick<Decided, 'declared' | 'observed' | 'severity'>;

export function wordOn(known: Finding): Meant {
  return known.decided ?? known;
}

/** Whether a person's word was given for what is so now: these values, and nothing graver. */
export function isMeant(word: Meant, { declared, observed, severity }: Finding): boolean {
  return sameValues(word, { declared, observed }) && !isGraver(severity, word.severity);
}

/** An acknowledgement of other values does not come to hold again; a suppression is of the finding, whatever its values. */
export function stillMeant({ decided }: Finding, next: Finding): Decided | null {
  return decided?.state === 'ACKNOWLEDGED' && !isMeant(decided, next) ? null : decided;
}
