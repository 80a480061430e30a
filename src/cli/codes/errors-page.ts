/** docs/reference/errors.md: every code, chapter by chapter. */
import { type Code, isLogCode, rowOf } from '../../base/mod.ts';
import { codePages } from './mod.ts';

const begin = `# Codes of log lines and errors

Made from the table of codes by \`node scripts/reference-errors.ts\`.

Every line of the log that says more than a trace has a code, and so has every finding of a command. A code stays what it
is from release to release: search for it, count by it, alert on it.

- Errors and the like end in it: \`... is not in psk_file. [tls.psk-unknown-identity]\`. Lines in Mosquitto's own words stay
  as Mosquitto writes them; there the code stands behind our line below, and always in JSON.
- \`log_format json\` has it in \`code\`, for lines without fault too.
- \`zancudo help CODE\` prints what stands here; \`zancudo help\` with a line of the log in quotes looks for what fits.
- \`zancudo doctor --json\` and \`zancudo probe --json\` have it in \`code\` of each finding.

`;

const chapters: Readonly<Record<string, string>> = {
  broker: 'The broker as a whole',
  conf: 'Configuration',
  plugin: 'Plugins',
  log: 'The log itself',
  listener: 'Listeners',
  http: 'HTTP',
  recorder: 'The flight recorder',
  otel: 'OpenTelemetry',
  connection: 'Connections that are not clients yet',
  proxy: 'PROXY protocol, and SOCKS of our clients',
  websocket: 'WebSocket',
  tls: 'TLS and certificates',
  client: 'Clients',
  message: 'Messages',
  store: 'What is kept',
  access: 'Access',
  backend: 'Databases of users',
  dynsec: 'Dynamic security',
  enrolment: 'Enrolment',
  bridge: 'Bridges',
  connect: 'Our clients: connecting',
  mqtt: 'Our clients: MQTT',
  request: 'Our clients: requests',
  profile: 'Our clients: profiles',
  pki: 'The CA',
  cli: 'Commands',
  device: 'Devices',
  expiry: 'Ends of certificates',
  doctor: 'The doctor',
  machine: 'The machine',
  file: 'Files',
  home: 'The home',
  ext: 'Extension files of OpenSSL',
  probe: 'Probes',
};

/** Where a code is met. */
function place(code: Code): string {
  if (!isLogCode(code)) return 'finding';
  return { news: 'log', theirs: "log, Mosquitto's words", ours: 'log' }[rowOf(code).kind];
}

function row(code: Code): string {
  const [means, remedy] = codePages[code];
  return `| \`${code}\` | ${place(code)} | ${cell(means)} | ${cell(remedy)} |\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

export function errorsPage(): string {
  const codes = Object.keys(codePages) as Code[];
  const parts = Object.entries(chapters).map(([prefix, title]) => {
    const rows = codes.filter(code => code.startsWith(`${prefix}.`)).sort();
    return `## ${title}\n\n| Code | In | What it means | What to do |\n|---|---|---|---|\n${rows.map(row).join('')}`;
  });
  return begin + parts.join('\n');
}
