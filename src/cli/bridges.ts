/** The command `bridges`: where each of them stands, what has passed, and why it does not connect. */
import type { BridgesReport, BridgeFacts, OperatorsClient } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand } from './ca/subcommand.ts';
import { textTable } from './ca/table.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { shown, spanText } from './operate/words.ts';

const rows: readonly Subcommand[] = [
  {
    name: 'bridges',
    atLeast: 0,
    atMost: 0,
    options: [{ long: '--json', says: 'For machines.' }, ...brokerOptions],
    says: 'Say of each bridge where it stands, what has passed by each topic line, and what went wrong.',
    run: call => withBroker(call, broker => tell(call, broker)),
  },
];

export const bridgesPage: CommandPage = {
  ...pageOf(
    {
      command: 'bridges',
      summary: 'bridges to other brokers: connected or why not, what has passed',
      about: ['Counts are since the broker was started, and for each topic line of the configuration.'],
    },
    rows,
  ),
  usage: ['[OPTION...]'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(bridgesPage, rows, args, context);
}

async function tell(call: Call, broker: OperatorsClient): Promise<number> {
  const report = await broker.get<BridgesReport>('/v1/bridges');
  if (call.has('--json')) {
    call.say(JSON.stringify(report, null, 2));
    return 0;
  }
  if (report.bridges.length === 0) {
    call.say("No bridges: the configuration has no 'connection' section.");
    return 0;
  }
  const now = call.context.wall();
  report.bridges.forEach((bridge, i) => call.say(...(i === 0 ? [] : ['']), ...linesOf(bridge, now)));
  return 0;
}

function linesOf(bridge: BridgeFacts, now: number): string[] {
  const { name, address, version, encrypted, waiting, lastError, changeWaits } = bridge;
  const level = { 3: '3.1', 4: '3.1.1', 5: '5' }[version];
  const lines = [
    `${shown(name)}: ${stateText(bridge, now)}`,
    `  ${shown(address)}, MQTT ${level}${encrypted ? ', TLS' : ''}; as ${shown(bridge.remoteClientId)} there, ${shown(bridge.localClientId)} here`,
  ];
  if (waiting > 0) lines.push(`  ${waiting === 1 ? '1 message waits' : `${waiting} messages wait`} to go out`);
  if (changeWaits) lines.push('  Changed settings take effect when it connects the next time (bridge_reload_type).');
  if (lastError !== null) {
    lines.push(`  ${shown(lastError.message)} (${spanText(Math.max(0, (now - lastError.at) / 1000))} ago)`);
    for (const line of lastError.remedy) lines.push(`    ${shown(line)}`);
  }
  const topics = bridge.topics.map(each => [shown(each.text), String(each.out), String(each.in)]);
  lines.push(...textTable(['TOPIC', 'OUT', 'IN'], topics).map(line => `  ${line}`));
  const heldBack = Object.entries(bridge.heldBack).filter(([, count]) => count > 0);
  if (heldBack.length > 0) {
    lines.push(`  Not passed: ${heldBack.map(([cause, count]) => `${count} ${causes[cause] ?? cause}`).join(', ')}`);
  }
  return lines;
}

const causes: Readonly<Record<string, string>> = {
  loop: 'that came back to where they had been',
  'too-large': 'too large for one side',
  refused: 'that the other broker refused',
  unmapped: 'that no topic line fits',
};

function stateText({ state, since, retryAt }: BridgeFacts, now: number): string {
  const span = spanText(Math.max(0, (now - since) / 1000));
  switch (state) {
    case 'connected':
      return `connected for ${span}`;
    case 'waiting':
      return `not connected; next attempt in ${spanText(Math.max(0, ((retryAt ?? now) - now) / 1000))}`;
    case 'idle':
      return 'idle until enough messages wait (start_type lazy)';
    case 'stopped':
      return 'stopped (start_type once)';
    default:
      return 'connecting';
  }
}
