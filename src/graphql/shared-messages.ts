import type { Principal } from '../domain/access.js';

/** How long a message may serve others who are told of the same event, ms: what it says of now is no older. */
const SHARED_FOR = 1_000;

/** A caller's rights without the caller: `asked` is called when an answer depends on who it is after all. */
export function rightsOf(principal: Principal, asked: () => void): Principal {
  const told = <T>(value: T): T => {
    asked();
    return value;
  };
  return {
    ...principal,
    get id() {
      return told(principal.id);
    },
    get name() {
      return told(principal.name);
    },
    get person() {
      return told(principal.person);
    },
    get roles() {
      return told(principal.roles);
    },
    expiresAt: null,
  };
}

/**
 * One message an event for all who ask the same of it with the same rights: worked out and written down once, however
 * many thousands are told. Whatever turns out to depend on the caller itself is worked out for each alone.
 */
export class SharedMessages {
  readonly #byEvent = new WeakMap<object, Map<string, Promise<string | undefined>>>();

  /** The message as `work` writes it; undefined: it cannot be shared. */
  of(
    event: object,
    key: string,
    principal: Principal,
    work: (principal: Principal) => Promise<string>,
  ): Promise<string | undefined> {
    const messages = this.#byEvent.get(event) ?? new Map<string, Promise<string | undefined>>();
    this.#byEvent.set(event, messages);
    const known = messages.get(key);
    if (known !== undefined) return known;
    let isPersonal = false;
    const rights = rightsOf(principal, () => {
      isPersonal = true;
    });
    const message = work(rights).then((text) => (isPersonal ? undefined : text));
    messages.set(key, message);
    const forget = setTimeout(() => messages.delete(key), SHARED_FOR);
    forget.unref();
    return message;
  }
}
