import { type DocumentNode, Kind, parse, visit } from 'graphql';
import type { Principal } from '../domain/access.js';
import { permissionScope } from './permission-scope.js';

/** An answer as it left: what is kept is what was sent. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** What the answers to questions about now depend on, besides the request and who may see what. */
export interface Knowledge {
  /** The inventory view: another object whenever anything was learned. */
  readonly view: object;
  /** What of it time alone changes: which sources are stale. */
  readonly stale: string;
}

interface Request {
  readonly method: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: unknown;
}

/** Questions that the view answers alone. Anything else in a document, and its answer is not kept. */
const ROOTS: ReadonlySet<string> = new Set(['guests', 'guest', 'proxmoxNodes']);
/** Below these roots, what an age in seconds or the database has a part in. */
const NOT_KEPT: ReadonlySet<string> = new Set(['ageSeconds', 'freshness', 'history']);
const MOST_ANSWERS = 200;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_QUERIES = 500;

/**
 * Answers to questions about now, kept while nothing was learned: for one view, permission scope and request, and for no
 * question whose answer holds an age or comes from the database. The next view forgets them all.
 */
export class KeptAnswers {
  readonly #knowledge: () => Knowledge;
  #of: Knowledge | undefined;
  #answers = new Map<string, KeptAnswer>();
  #bytes = 0;
  readonly #mayKeep = new Map<string, boolean>();

  constructor(knowledge: () => Knowledge) {
    this.#knowledge = knowledge;
  }

  /** The key under which a request's answer may be kept; undefined: it may not. */
  keyOf({ method, headers, body }: Request, principal: Principal): string | undefined {
    if (method !== 'POST' || typeof body !== 'object' || body === null) return undefined;
    const { query, operationName, variables, extensions } = body as Readonly<Record<string, unknown>>;
    if (typeof query !== 'string' || extensions !== undefined || !this.#isAboutNow(query)) return undefined;
    const { accept, type } = negotiated(headers);
    if (!type.startsWith('application/json')) return undefined;
    return JSON.stringify([query, operationName ?? null, variables ?? null, permissionScope(principal), accept]);
  }

  find(key: string): KeptAnswer | undefined {
    this.#forgetOld();
    return this.#answers.get(key);
  }

  /** `of`: what was known when the question was asked; an answer that something was learned under is not kept. */
  keep(key: string, of: Knowledge, answer: KeptAnswer): void {
    this.#forgetOld();
    const now = this.#of;
    if (now?.view !== of.view || now.stale !== of.stale || this.#answers.size >= MOST_ANSWERS) return;
    if (this.#bytes + answer.body.length > MOST_BYTES) return;
    this.#answers.set(key, answer);
    this.#bytes += answer.body.length;
  }

  knowledge(): Knowledge {
    return this.#knowledge();
  }

  #forgetOld(): void {
    const now = this.#knowledge();
    if (this.#of?.view === now.view && this.#of.stale === now.stale) return;
    this.#of = now;
    this.#answers = new Map();
    this.#bytes = 0;
  }

  #isAboutNow(query: string): boolean {
    let known = this.#mayKeep.get(query);
    if (known === undefined) {
      known = isAboutNow(query);
      if (this.#mayKeep.size >= MOST_QUERIES) this.#mayKeep.clear();
      this.#mayKeep.set(query, known);
    }
    return known;
  }
}

function negotiated(headers: Iterable<readonly [string, string]>): { accept: string; type: string } {
  let [accept, type] = ['', ''];
  for (const [name, value] of headers) {
    if (name === 'accept') accept = value;
    else if (name === 'content-type') type = value;
  }
  return { accept, type };
}

function isAboutNow(query: string): boolean {
  let document: DocumentNode;
  try {
    document = parse(query, { noLocation: true, maxTokens: 10_000 });
  } catch {
    return false;
  }
  let isKept = true;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) continue;
    if (definition.kind !== Kind.OPERATION_DEFINITION || definition.operation !== 'query') return false;
    const roots = definition.selectionSet.selections;
    // A fragment at the root could bring any question with it.
    if (!roots.every((root) => root.kind === Kind.FIELD && ROOTS.has(root.name.value))) return false;
  }
  visit(document, {
    Field: (field) => {
      if (NOT_KEPT.has(field.name.value)) isKept = false;
    },
    Argument: (argument) => {
      if (argument.name.value === 'asOf') isKept = false;
    },
  });
  return isKept;
}
