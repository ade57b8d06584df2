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
  const look = async (): Promise<void> => {
    try {
      if (!(await isAlive()) && !stopped) {
        log('PostgreSQL has died: starting it again');
        await restart();
      }
    } catch (error) {
      log(`PostgreSQL could not be started again: ${error instanceof Error ? error.message : String(error)}`);
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
