import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { KeyOptions } from './app.js';
import { ConfigError, readConfig } from './config.js';

/** Loaded when a verb runs: help and wrong usage are answered without the whole house. */
const house = () => import('./app.js');

/** Exit codes: done, it failed, wrong usage (a command line, environment or settings file that cannot be used). */
const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;

/** Whoever read the output has read enough (`… | head`): that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(DONE);
  throw error;
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function whenTold(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

function future(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('give a time such as 2027-01-31T00:00:00Z');
  return at;
}

function list(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}

function program(finish: (code: number) => void): Command {
  const root = new Command('sankofa-it')
    .description('What a Proxmox estate runs, what it should run, and where the two differ')
    .exitOverride()
    .showHelpAfterError('(--help tells more)');
  const run = <A extends unknown[]>(verb: (...args: A) => Promise<number>) => {
    return async (...args: A) => finish(await verb(...args));
  };

  root
    .command('serve')
    .description('start the gateway')
    .action(run(async () => (await house()).serve(readConfig(), whenTold(), print)));
  root
    .command('collect')
    .description('read every part of the named collectors (default: all) once, and say what came of it')
    .argument('[collector...]', 'proxmox_guest_ipam, …')
    .option('--json', 'as JSON')
    .action(
      run(async (collectors: string[], options: { json?: boolean }) =>
        (await house()).collect(readConfig(), collectors, options, whenTold(), print),
      ),
    );
  root
    .command('drift')
    .description('compare now, and list the findings that are open or acknowledged')
    .option('--json', 'as JSON')
    .action(run(async (options: { json?: boolean }) => (await house()).drift(readConfig(), options, print)));
  root
    .command('migrate')
    .description('bring the database to this version')
    .option('--json', 'as JSON')
    .action(run(async (options: { json?: boolean }) => (await house()).migrate(readConfig(), options, print)));
  root
    .command('simulate')
    .description('run the simulated estate alone, and print a sources.yaml that points at it')
    .action(run(async () => (await house()).simulate(readConfig(), whenTold(), print)));

  const keys = root.command('api-key').description('keys that guard every call');
  keys
    .command('create')
    .description('make a key; it is shown once')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--roles <roles>', 'comma-separated: viewer, operator, tenant-admin, sankofa-it-admin', list)
    .option('--person <person>', 'who will use it (default: the name)')
    .option('--expires <time>', 'when it ends (ISO 8601)', future)
    .option('--json', 'as JSON')
    .action(run(async (options: KeyOptions) => (await house()).apiKeyCreate(readConfig(), options, print)));
  keys
    .command('list')
    .description('all keys, newest first')
    .option('--json', 'as JSON')
    .action(run(async (options: { json?: boolean }) => (await house()).apiKeyList(readConfig(), options, print)));
  keys
    .command('revoke')
    .description('end a key now')
    .argument('<id>', 'its id, as `api-key list` shows it')
    .option('--json', 'as JSON')
    .action(
      run(async (id: string, options: { json?: boolean }) =>
        (await house()).apiKeyRevoke(readConfig(), id, options, print),
      ),
    );

  const config = root.command('config').description('the settings');
  config
    .command('check')
    .description('read the environment and every settings and declared file, and say what is wrong with them')
    .option('--json', 'as JSON')
    .action(run(async (options: { json?: boolean }) => (await house()).configCheck(readConfig(), options, print)));
  return root;
}

async function main(argv: readonly string[]): Promise<number> {
  let code = DONE;
  try {
    await program((result) => {
      code = result;
    }).parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : WRONG_USAGE;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    const wrong = error instanceof ConfigError || (error instanceof Error && error.name === 'SettingsError');
    const refused = error instanceof Error && 'code' in error && error.code === 'VALIDATION_ERROR';
    return wrong || refused ? WRONG_USAGE : FAILED;
  }
}

process.exitCode = await main(process.argv);
// Whatever still holds the process open after its work is done (a socket of a library) must not keep it.
process.exit();
