/** How cost grows: one quantity at a time, from little to much. */
import type { Cell, Figure } from './cells.ts';
import type { Figures } from './measure.ts';

export interface Series {
  id: string;
  title: string;
  xLabel: string;
  yLabel: string;
  at: readonly number[];
  load(x: number): Pick<Cell, 'args' | 'setup'>;
  y: (figures: Figures) => number | null;
  figure: Figure;
}

const words = (text: string): string[] => text.split(' ');
const cpu = (figures: Figures): number | null => figures.brokerMicros;
const cpuLabel = 'CPU of the broker, µs for each delivered message';

export const series: readonly Series[] = [
  {
    id: 'connections',
    title: 'Memory of one idle connection',
    xLabel: 'connections',
    yLabel: 'kB of resident memory for each',
    at: [100, 1000, 5000, 10_000, 15_000],
    load: x => ({ args: words(`--scenario idle --connections ${x}`) }),
    y: figures => (figures.unitBytes === null ? null : figures.unitBytes / 1024),
    figure: 'memory',
  },
  {
    id: 'filters',
    title: 'A message among many subscriptions',
    xLabel: 'subscriptions',
    yLabel: cpuLabel,
    at: [100, 1000, 10_000, 100_000, 1_000_000],
    load: x => ({ args: words(`--scenario tree --filters ${x}`) }),
    y: cpu,
    figure: 'cpu',
  },
  {
    id: 'payload',
    title: 'The size of a message',
    xLabel: 'bytes of payload',
    yLabel: cpuLabel,
    at: [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576],
    load: x => ({ args: words(`--scenario p2p --size ${x}`) }),
    y: cpu,
    figure: 'cpu',
  },
  {
    id: 'subscribers',
    title: 'One message to many',
    xLabel: 'subscribers of one topic',
    yLabel: cpuLabel,
    at: [1, 10, 100, 1000, 10_000],
    load: x => ({ args: words(`--scenario fanout --subscribers ${x}`) }),
    y: cpu,
    figure: 'cpu',
  },
  {
    id: 'retained',
    title: 'Retained messages for a new subscriber',
    xLabel: 'retained messages',
    yLabel: cpuLabel,
    at: [100, 1000, 10_000, 100_000, 1_000_000],
    load: x => ({ args: words(`--scenario retained --count ${x} -q 0`) }),
    y: cpu,
    figure: 'cpu',
  },
  {
    id: 'rules',
    title: 'Rules of the access file',
    xLabel: 'rules',
    yLabel: cpuLabel,
    at: [0, 10, 100, 1000, 10_000],
    load: x => ({ args: words('--scenario p2p'), setup: { rules: x } }),
    y: cpu,
    figure: 'cpu',
  },
];
