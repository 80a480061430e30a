/** The entry of the program. bin/zancudo says by which name it was called. */
import { run } from './run.ts';

void run(process.argv.slice(2), {
  calledAs: process.env['ZANCUDO_CALLED_AS'] ?? 'zancudo',
  environment: process.env,
  print: text => void process.stdout.write(text),
  complain: text => void process.stderr.write(text),
  wall: () => Date.now(),
}).then(exitCode => process.exit(exitCode));
