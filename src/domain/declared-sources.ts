import type { Declarations, DeclaredSource } from './declaration.js';
import type { InventorySettings } from './settings.js';
import type { KeptDeclared } from './view.js';

/** What a declared source is called, of its source name: `netbox:dcim` of `declared:netbox:dcim`. */
export function declaredName(source: string): string {
  return source.slice('declared:'.length);
}

/** A service is called `netbox:<its name>`; a file by its own name. */
export function isDeclaredService(name: string): boolean {
  return name.includes(':');
}

/** What `precedence` and `declared` call a source: all services of a kind go by their kind. */
export function precedenceName(name: string): string {
  return isDeclaredService(name) ? name.slice(0, name.indexOf(':')) : name;
}

/** The declared sources that are switched on, as a comparison takes them: first in precedence first. */
export function declarationsOf(
  declared: ReadonlyMap<string, KeptDeclared>,
  settings: Pick<InventorySettings, 'precedence' | 'declaredOff'>,
): Declarations {
  const sources = [...declared.values()].flatMap((kept) => {
    const name = declaredName(kept.state.source);
    return settings.declaredOff.includes(precedenceName(name)) || kept.state.outcome === 'RETIRED'
      ? []
      : [declaredSource(name, kept)];
  });
  const rank = (source: DeclaredSource) => {
    const at = settings.precedence.indexOf(precedenceName(source.name));
    return at < 0 ? settings.precedence.length : at;
  };
  return sources.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function declaredSource(name: string, kept: KeptDeclared): DeclaredSource {
  const { meta, rows, removed, asked } = kept;
  const isService = isDeclaredService(name);
  return {
    name,
    state: stateOf(kept, isService),
    watched: !isService,
    asked,
    declaresGuests: meta?.declaresGuests ?? isService,
    declaresAddresses: meta?.declaresAddresses ?? isService,
    rows: [...rows.values()],
    problems: meta?.problems ?? [],
    keyConflicts: meta?.keyConflicts ?? [],
    removed,
  };
}

/** A file that had no row was never there. A service that is named in the settings is, before its first answer and without a row too. */
function stateOf({ state, rows }: KeptDeclared, isService: boolean): DeclaredSource['state'] {
  const readAt = state.lastSuccessAt ?? 0;
  if (state.outcome === 'OBSERVED') return { kind: 'covered', readAt };
  if (!isService && (state.outcome !== 'UNREACHABLE' || rows.size === 0))
    return { kind: 'never', reason: state.reason ?? 'not there' };
  const reason = state.reason ?? (state.outcome === 'UNREACHABLE' ? 'unreachable' : 'it was not asked yet');
  return { kind: 'unreachable', readAt, since: state.unreachableSince ?? readAt, reason };
}
