/** What is watched of the broker while everything happens to it, each a row with what counts as growth. */
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { judgeGrowth, type Bound, type Sample, type Verdict } from './slope.ts';

const MB = 1_000_000;

/** As probe.mjs writes it, after a full collection. */
interface Told {
  rss: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  timers: number;
  resources: number;
}

interface Looked extends Told {
  descriptors: number;
  files: number;
}

export interface Series extends Bound {
  name: string;
  unit: string;
  value: (looked: Looked) => number;
}

/** `least`: what a run without a leak differs by from one sample to the next. */
export const series: readonly Series[] = [
  { name: 'heap', unit: 'MB', share: 0.05, least: 2, value: ({ heapUsed }) => heapUsed / MB },
  { name: 'buffers', unit: 'MB', share: 0.1, least: 4, value: ({ external }) => external / MB },
  { name: 'resident', unit: 'MB', share: 0.1, least: 16, value: ({ rss }) => rss / MB },
  { name: 'timers', unit: '', share: 0.05, least: 10, value: ({ timers }) => timers },
  { name: 'descriptors', unit: '', share: 0.02, least: 20, value: ({ descriptors }) => descriptors },
  { name: 'files', unit: '', share: 0, least: 3, value: ({ files }) => files },
];

export class Watch {
  readonly #pid: () => number;
  readonly #probe: string;
  readonly #folders: readonly string[];
  readonly #startedAt = performance.now();
  readonly #samples: (Looked & { at: number })[] = [];

  constructor(pid: () => number, probe: string, folders: readonly string[]) {
    this.#pid = pid;
    this.#probe = probe;
    this.#folders = folders;
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  async look(): Promise<Looked> {
    const told = JSON.parse(await text(connect(this.#probe))) as Told;
    const descriptors = readdirSync(`/proc/${this.#pid()}/fd`).length;
    const files = this.#folders.reduce((sum, folder) => sum + readdirSync(folder, { recursive: true }).length, 0);
    const looked = { ...told, descriptors, files };
    this.#samples.push({ at: this.seconds, ...looked });
    return looked;
  }

  /** The heap of the broker, in a file, at the next look. */
  askSnapshot(file: string): void {
    writeFileSync(`${this.#probe}.snapshot`, file);
  }

  judge(): (Series & Verdict)[] {
    return series.map(row => ({ ...row, ...judgeGrowth(this.#of(row), row) }));
  }

  #of({ value }: Series): Sample[] {
    return this.#samples.map(looked => ({ at: looked.at, value: value(looked) }));
  }
}
