/**
 * npm run bench: Zancudo, Mosquitto and aedes in turn, interleaved, median of the rounds, one table.
 *
 *   npm run bench -- --quick                       a minute or two, one round
 *   npm run bench -- --only p2p,fanout --rounds 5
 *   npm run bench -- --growth --only payload
 *   npm run bench -- --mqload                      the rows by mqload, an independent generator
 *   npm run bench -- --agree                       our generator beside mqload on the same brokers
 */
import { parseArgs } from 'node:util';
import { agree } from './agree.ts';
import { brokerKinds, type BrokerKind } from './brokers.ts';
import { cells, chosen, type Cell } from './cells.ts';
import { series } from './growth.ts';
import { measure, type Figures, type Load } from './measure.ts';
import { Mqload } from './mqload.ts';
import { loadNow, openResults, saveResults, type GrowthPoint, type Results } from './results.ts';
import { agreementTable, cellTable, growthTable, heading } from './table.ts';

const help = `npm run bench -- [--only NAME,...] [--rounds N] [--seconds N] [--brokers NAME,...] [--growth] [--mqload]
                 [--agree] [--quick] [--json] [--no-save] [--list]

  --only NAME,...      rows (with --growth: series) whose names start so; --list shows the names
  --rounds N           each broker N times in turn; 5 unless given (growth: 1, agree: 16)
  --seconds N          of messages in each; 4 unless given (growth: 2, agree: 1)
  --brokers NAME,...   zancudo, mosquitto, aedes
  --growth             how cost grows, beside Mosquitto
  --mqload             the rows by mqload, an independent generator (bench/mqload.c, built with gcc)
  --agree              does the generator find what mqload finds?
  --quick              one round of one second, not saved
  --json               the results as JSON instead of a table
`;

const say = (text: string): void => void process.stdout.write(text);
const tell = (text: string): void => void process.stderr.write(text);

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    brokers: { type: 'string' },
    growth: { type: 'boolean', default: false },
    mqload: { type: 'boolean', default: false },
    agree: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'no-save': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const only = values.only.split(',').filter(word => word !== '');
const rounds = Number(values.rounds ?? (values.quick || values.growth ? 1 : values.agree ? 16 : 5));
const seconds = Number(values.seconds ?? (values.quick || values.agree ? 1 : values.growth ? 2 : 4));
const wantedBrokers = (values.brokers ?? (values.growth ? 'zancudo,mosquitto' : 'zancudo,mosquitto,aedes')).split(',');

/** What is not on this machine is left out and named. */
function presentBrokers(): BrokerKind[] {
  const kinds = brokerKinds.filter(kind => wantedBrokers.includes(kind.name));
  for (const kind of kinds) if (kind.version() === null) tell(`${kind.name} is not here and is left out\n`);
  return kinds.filter(kind => kind.version() !== null);
}

/** Interleaved: a neighbour who comes and goes hits all brokers alike. */
async function inTurn(kinds: readonly BrokerKind[], load: Load, label: string): Promise<Record<string, Figures[]>> {
  const found: Record<string, Figures[]> = {};
  for (let round = 1; round <= rounds; round++) {
    for (const kind of kinds) {
      tell(`\r\x1b[K${label}: round ${round} of ${rounds}, ${kind.name}`);
      (found[kind.name] ??= []).push(await measure(kind, load, seconds));
    }
  }
  tell('\r\x1b[K');
  return found;
}

async function runCells(results: Results, kinds: readonly BrokerKind[]): Promise<void> {
  const generator = values.mqload ? new Mqload() : null;
  const rows = chosen(cells, only).filter(cell => generator === null || cell.mqload !== null);
  const found = generator === null ? results.cells : (results.mqload ??= {});
  for (const cell of rows) {
    const load = loadNow();
    const those = kinds.filter(kind => kind.name !== 'aedes' || cell.withoutAedes !== true);
    found[cell.id] = { load, rounds: await inTurn(those, loadOf(cell, generator), cell.id) };
    if (!values.quick && !values['no-save']) saveResults(results);
  }
  generator?.remove();
  if (!values.json) say(heading(results) + cellTable({ ...results, cells: found }, rows));
}

function loadOf({ args, setup = {}, mqload }: Cell, generator: Mqload | null): Load {
  return generator === null || mqload === null ? { args, setup } : { args, setup, mqload: { generator, load: mqload } };
}

async function runGrowth(results: Results, kinds: readonly BrokerKind[]): Promise<void> {
  const rows = chosen(series, only);
  for (const each of rows) {
    const points: GrowthPoint[] = [];
    for (const x of values.quick ? each.at.slice(0, 2) : each.at) {
      points.push({ x, rounds: await inTurn(kinds, each.load(x), `${each.id} ${x}`) });
    }
    results.growth[each.id] = points;
    if (!values.quick && !values['no-save']) saveResults(results);
  }
  if (!values.json) say(heading(results) + growthTable(results, rows));
}

async function runAgreement(results: Results, kinds: readonly BrokerKind[]): Promise<void> {
  results.agreement = await agree(kinds, only, rounds, seconds, tell);
  if (!values.quick && !values['no-save']) saveResults(results);
  if (!values.json) say(heading(results) + agreementTable(results.agreement));
}

if (values.help) say(help);
else if (values.list)
  say(`rows:   ${cells.map(row => row.id).join(' ')}\ngrowth: ${series.map(row => row.id).join(' ')}\n`);
else {
  const kinds = presentBrokers();
  const results = openResults();
  if (values.agree) await runAgreement(results, kinds);
  else await (values.growth ? runGrowth : runCells)(results, kinds);
  if (values.json) say(`${JSON.stringify(results, null, 1)}\n`);
}
