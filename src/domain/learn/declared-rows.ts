import { said } from '../absorb-declared.js';
import { sameValue } from '../content-hash.js';
import type { Declaration, KeptDeclaration } from '../declaration.js';
import { DAY, type Instant } from '../time.js';
import type { Version } from '../version.js';
import type { KeptDeclared } from '../view.js';
import { type Draft, versionId } from './draft.js';
import type { Learned } from './learned.js';

/** Removed declarations are remembered this long: until then every part they speak of was read again. */
const REMEMBER_REMOVED = DAY;

/**
 * Declared rows as they came and went, in order of time. What a row said and says no more is remembered, whether it went
 * away or was edited: a carried address that a person just renumbered is held against the new row once it was read again.
 */
export function learnDeclaredRows(draft: Draft, { opened, ended }: Learned): void {
  const isRow = (version: Version) => version.kind === 'declared.row';
  const over = ended.filter(({ version }) => isRow(version));
  const lastEnd = new Map(over.map(({ version, validTo }) => [versionId(version), validTo]));
  // What holds came last, whatever a clock that was set back in between made of it.
  const begunAt = (version: Version) => Math.max(version.validFrom, lastEnd.get(versionId(version)) ?? 0);
  const steps = [
    ...over.flatMap(({ version, validTo }) => [
      { at: version.validFrom, from: version.validFrom, version, gone: false },
      { at: validTo, from: version.validFrom, version, gone: true },
    ]),
    ...opened.filter(isRow).map((version) => {
      const at = begunAt(version);
      return { at, from: at, version, gone: false };
    }),
  ];
  // At one moment the old word ends before the new one begins; a word that ended as it began is heard first.
  steps.sort((a, b) => a.at - b.at || a.from - b.from || Number(a.gone) - Number(b.gone));
  // An end with a successor at the same moment is an edit: it shows in the successor's step.
  const begins = new Map<string, Version>();
  for (const { at, version, gone } of steps) if (!gone) begins.set(`${at} ${versionId(version)}`, version);
  for (const { at, version, gone } of steps) {
    const kept = draft.declared.get(version.source);
    if (kept === undefined || (gone && (begins.get(`${at} ${versionId(version)}`) ?? version) !== version)) continue;
    const before = kept.rows.get(version.key);
    const row = version.body as KeptDeclaration;
    if (gone) kept.rows.delete(version.key);
    else kept.rows.set(version.key, row);
    // No word ends before it began, as in the store.
    if (before !== undefined && (gone || !sameValue(said(before), said(row))))
      remember(kept, before, Math.max(at, before.since.before ?? 0));
  }
  // Which of two rows of one source has the word must not depend on which was written down last.
  for (const source of new Set(steps.map(({ version }) => version.source))) {
    const kept = draft.declared.get(source);
    if (kept !== undefined) kept.rows = new Map([...kept.rows].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function remember(kept: { removed: KeptDeclared['removed'] }, row: Declaration, goneAt: Instant): void {
  kept.removed = [...kept.removed.filter((one) => one.goneAt > goneAt - REMEMBER_REMOVED), { row, goneAt }];
}
