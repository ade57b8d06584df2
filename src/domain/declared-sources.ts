import type { Declarations, DeclaredSource } from './declaration.js';
import type { InventorySettings } from './settings.js';
import type { KeptDeclared } from './view.js';

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
    const name = kept.state.source.slice('declared:'.length);
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
  const { state, meta, rows, removed, asked } = kept;
  const readAt = state.lastSuccessAt ?? 0;
  return {
    name,
    state:
      state.outcome === 'OBSERVED'
        ? { kind: 'covered', readAt }
        : state.outcome === 'UNREACHABLE' && rows.size > 0
          ? {
              kind: 'unreachable',
              readAt,
              since: state.unreachableSince ?? readAt,
              reason: state.reason ?? 'unreachable',
            }
          : { kind: 'never', reason: state.reason ?? 'not there' },
    watched: !isDeclaredService(name),
    asked,
    declaresGuests: meta?.declaresGuests ?? false,
    declaresAddresses: meta?.declaresAddresses ?? false,
    rows: [...rows.values()],
    problems: meta?.problems ?? [],
    keyConflicts: meta?.keyConflicts ?? [],
    removed,
  };
}
