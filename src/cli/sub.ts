/** The command `sub`, which takes the place of mosquitto_sub. */
import { isatty } from 'node:tty';
import { runClient } from './client/command.ts';
import type { Console } from './client/console.ts';
import type { Draft } from './client/draft.ts';
import { makePrinter } from './client/printer.ts';
import { Receiver } from './client/receiver.ts';
import type { Context } from './context.ts';

export async function run(args: readonly string[], context: Context): Promise<number> {
  return runClient('sub', args, context, (draft, console) => subscribe(draft, console, context));
}

async function subscribe(draft: Draft, console: Console, context: Context): Promise<number> {
  if (draft.noRetained && draft.retainedOnly) {
    context.complain("\nError: Combining '-R' and '--retained-only' makes no sense.\n");
    context.complain('  -R leaves retained messages out, and --retained-only all others: drop one of them.\n');
    return 1;
  }
  const hasView = draft.messageRate || draft.tree || draft.watch;
  const view = hasView ? (await import('./client/screens.ts')).makeView(draft, console) : null;
  const forPeople = isatty(1) && !context.environment['NO_COLOR'];
  try {
    return await new Receiver(draft, console, view?.print ?? makePrinter(draft, console, forPeople)).run();
  } finally {
    view?.stop();
  }
}
