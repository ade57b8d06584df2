import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export function projectText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** README.md, CHANGELOG.md and everything below docs/, by path. */
export function manualPages(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  return ['README.md', 'CHANGELOG.md', ...docs.sort()];
}

/** What stands under a heading, up to the next one of its rank or above. */
export function section(page: string, heading: string): string {
  const lines = projectText(page).split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) throw new Error(`${page} has no heading "${heading}"`);
  const rank = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const length = lines.slice(start + 1).findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 99) <= rank);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** The rows of all tables in a text, each cell without its backticks; headers and rules are left out. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  return lines
    .filter(
      (line, at) => line.startsWith('|') && !/^\|[-|: ]+\|$/.test(line) && !/^\|[-|: ]+\|$/.test(lines[at + 1] ?? ''),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

/** Code of one language that stands fenced in a page. */
export function fenced(page: string, language: string): readonly string[] {
  return [...projectText(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (found) => found[1] ?? '',
  );
}

/** The words that a list literal comes to: quoted ones, lists of the same file or of `shared` that it spreads, and keys of a secret. */
export function listedWords(
  file: string,
  list: string,
  secretKeys: (key: string) => readonly string[],
  shared: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const items = list.split(',').map((item) => item.trim());
  return items
    .filter((item) => item !== '')
    .flatMap((item) => {
      const [, quoted, spread, secret] =
        /^(?:'([^']+)'|\.\.\.([A-Z_]+)|\.\.\.secretKeys\('([^']+)'\))$/.exec(item) ?? [];
      if (quoted !== undefined) return [quoted];
      if (spread !== undefined) return shared[spread] ?? wordsOf(file, spread);
      if (secret !== undefined) return secretKeys(secret);
      throw new Error(`${file}: what is ${item} in a list of keys?`);
    });
}

/** The quoted words of `const NAME = [ … ]` in a source file: what its tables of names hold, though nobody exports them. */
export function wordsOf(file: string, name: string): readonly string[] {
  const list = new RegExp(`const ${name}(?:: [^=]+)? = \\[([^\\]]*)\\]`).exec(projectText(file))?.[1];
  if (list === undefined) throw new Error(`${file} has no list ${name}`);
  return [...list.matchAll(/'([^']+)'/g)].map((found) => found[1] ?? '');
}
