/** The entry of the program. bin/zancudo says by which name it was called. */
import { basename } from 'node:path';
import { run } from './run.ts';

process.exit(
  await run(process.argv.slice(2), {
    calledAs:
      process.env['ZANCUDO_CALLED_AS'] ?? basename(process.argv[1] ?? 'zancudo').replace(/^main\.[jt]s$/, 'zancudo'),
    environment: process.env,
    print: text => void process.stdout.write(text),
    complain: text => void process.stderr.write(text),
    wall: () => Date.now(),
  }),
);
