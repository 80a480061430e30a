/**
 * mqload, an independent generator in C (bench/mqload.c): built once into a folder of its own, told what to do by its
 * own options, read by the line of JSON that it prints.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, type Running } from './brokers.ts';
import { outputOf } from './program.ts';

/** Figures by mqload's own names, such as cpu_us_per_msg; what is no number is left out. */
export interface MqloadOutcome {
  figures: Record<string, number>;
  fault: string | null;
}

export class Mqload {
  private readonly folder = mkdtempSync(join(tmpdir(), 'zancudo-mqload-'));
  private readonly program = join(this.folder, 'mqload');

  /** Throws where there is no gcc or no libssl-dev. */
  constructor() {
    const source = join(root, 'bench/mqload.c');
    execFileSync('gcc', ['-O2', '-o', this.program, source, '-lssl', '-lcrypto', '-lpthread']);
  }

  /** `load`: the scenario and its options, see `mqload --help`. */
  async run(broker: Running, load: readonly string[]): Promise<MqloadOutcome> {
    const place = ['--port', String(broker.port), '--pid', String(broker.pid)];
    const { said, complained } = await outputOf(this.program, [...load, ...place]);
    if (said === '') throw new Error(`mqload ${load.join(' ')} said nothing but: ${complained}`);
    const outcome = JSON.parse(said) as Record<string, unknown>;
    const numbers = Object.entries(outcome).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    const { error } = outcome;
    return { figures: Object.fromEntries(numbers), fault: typeof error === 'string' ? error : null };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
