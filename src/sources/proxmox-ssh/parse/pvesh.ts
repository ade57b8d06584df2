import { CUT } from '../../transport/json-body.js';

/** What a command that was run on the host left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `failed`: it was not run, or said no; the words are for a person. */
export type Content =
  | { readonly kind: 'content'; readonly content: unknown }
  | { readonly kind: 'failed'; readonly words: string };

/** What `pvesh get … --output-format json` says: the bare data, nothing at all for null. Warnings on stderr are no failure. */
export function pveshContent(ran: Ran): Content {
  if (ran.code !== 0) return { kind: 'failed', words: failureWords(ran) };
  const text = ran.stdout.trim();
  if (text === '') return { kind: 'content', content: null };
  try {
    return { kind: 'content', content: JSON.parse(text) };
  } catch {
    const begun = /^[{[]/.test(text);
    const words = begun
      ? `the answer breaks off after ${text.length} characters: it is not whole JSON; ${CUT}`
      : `pvesh answers something that is no JSON and begins with ${JSON.stringify(text.slice(0, 40))}; does the login shell print anything by itself?`;
    return { kind: 'failed', words };
  }
}

/** Why a command failed, in one sentence, from its exit code and what it wrote. */
export function failureWords({ code, stderr }: Ran): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // sudo names itself, or says "Sorry, user … is not allowed"; in other languages only the first holds.
  const sudo = lines.find((line) => /^(?:sudo:|sorry, user)/i.test(line));
  if (sudo !== undefined) return `sudo does not let it be run (${sudo}); the manual lists the lines for sudoers`;
  if (code === 124 || code === 137) return 'it did not end within its time-out and was ended';
  if (code === 126 || code === 127)
    return `it cannot be run on this host: ${lines[0] ?? `exit code ${code}`}; is it a Proxmox VE node?`;
  // A refusal of pvesh stands in its last line, after warnings that it may have written.
  return lines.at(-1) ?? `it ended with exit code ${code} and no word`;
}
