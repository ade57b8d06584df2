const EVERY = 1_000;

interface Watch {
  readonly isAlive: () => Promise<boolean>;
  /** Brings the server back at the address that everybody knows. */
  readonly restart: () => Promise<void>;
  readonly log: (line: string) => void;
}

/** Looks every second whether the server lives, and starts it again if not. Returns the way to stop looking. */
export function watchOver({ isAlive, restart, log }: Watch): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let looking = Promise.resolve();
  let lastFailure = '';
  const look = async (): Promise<void> => {
    try {
      if (!(await isAlive()) && !stopped) {
        if (lastFailure === '') log('PostgreSQL has died: starting it again');
        await restart();
        lastFailure = '';
      }
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      // Once for each reason: a disk that stays full for a night is one line, not thirty thousand.
      if (failure !== lastFailure) log(`PostgreSQL could not be started again: ${failure}`);
      lastFailure = failure;
    }
    if (!stopped) plan();
  };
  const plan = (): void => {
    timer = setTimeout(() => {
      looking = look();
    }, EVERY);
    timer.unref();
  };
  plan();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await looking;
  };
}
