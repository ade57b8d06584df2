/** A line for the login shell, taken apart: which program is run with which arguments, and whether as root. */
export interface Command {
  readonly sudo: boolean;
  /** Without its folder: `pvesh`. */
  readonly program: string;
  readonly args: readonly string[];
  /** What sudo is asked to run, word by word; without sudo, the same. */
  readonly whole: string;
}

/** What a caller may say in front of a command, as the login shell would take it; undefined where the simulated shell does not know such lines. */
export function commandOf(line: string): Command | undefined {
  const words = wordsOf(line.replace(/^\s*exec\s*<\/dev\/null\s*;/, ''));
  if (words === undefined) return undefined;
  let rest: readonly string[] = words[0] === 'exec' ? words.slice(1) : words;
  const sudo = rest[0] === 'sudo' || rest[0] === '/usr/bin/sudo';
  if (sudo) rest = rest.slice(rest[1] === '-n' ? 2 : 1);
  const whole = rest.join(' ');
  if (/^(?:\/usr\/bin\/)?timeout$/.test(rest[0] ?? '')) rest = afterTimeout(rest.slice(1));
  const [program = '', ...args] = rest;
  return { sudo, whole, program: program.slice(program.lastIndexOf('/') + 1), args };
}

function afterTimeout(words: readonly string[]): readonly string[] {
  let at = 0;
  while (words[at]?.startsWith('-') === true) at += words[at] === '-k' || words[at] === '-s' ? 2 : 1;
  return words.slice(at + 1);
}

/** Words as a shell splits them; undefined where there is more in it than words (pipes, variables, redirections). */
function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  const pattern = /\s+|((?:'[^']*'|"[^"$`\\]*"|\\.|[^\s'"\\|;&<>$`()])+)/gy;
  for (let at = 0; at < line.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found === null) return undefined;
    if (found[1] !== undefined) words.push(found[1].replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3'));
  }
  return words;
}
