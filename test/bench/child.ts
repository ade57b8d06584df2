import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of its own that does what it is asked, one thing after the other. It ends with its parent. */
export interface Child<Order, Answer> {
  ask(order: Order): Promise<Answer>;
  end(): Promise<void>;
}

type Said<Answer> = { readonly answer: Answer } | { readonly failed: string };

/** `module`: the file name of a built bench module that calls `serveParent`. */
export function childOf<Order extends object, Answer>(module: string): Child<Order, Answer> {
  const child = fork(fileURLToPath(new URL(`./${module}`, import.meta.url)));
  return {
    async ask(order) {
      child.send(order);
      const [said] = (await once(child, 'message')) as [Said<Answer>];
      if ('failed' in said) throw new Error(`${module}: ${said.failed}`);
      return said.answer;
    },
    async end() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

export function serveParent<Order, Answer>(work: (order: Order) => Promise<Answer>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (order: Order) => {
    work(order).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ failed: String(error) }),
    );
  });
}
