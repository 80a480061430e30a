/** Programs and scripts that switch the checking of certificates off: a table of how that is written. */
import fs from 'node:fs';
import path from 'node:path';
import type { Finding } from '../../base/mod.ts';

interface Habit {
  /** Endings of the files in which it is looked for. */
  in: readonly string[];
  matches: RegExp;
  remedy: readonly string[];
}

const shells = ['.sh', '.bash', '.zsh', '.service', '.cron', ''];

const habits: readonly Habit[] = [
  {
    in: shells,
    matches: /\b(?:mosquitto_(?:pub|sub|rr|ctrl)|zancudo\s+(?:pub|sub|rr|ctrl))\b.*\s--insecure\b/,
    remedy: [
      'Give the server a certificate with the name or address that is used here, then take --insecure out.',
      'Which names it has: zancudo doctor --connect HOST:PORT',
    ],
  },
  {
    in: ['.py'],
    matches: /tls_insecure_set\(\s*True|CERT_NONE|check_hostname\s*=\s*False/,
    remedy: ['client.tls_set(ca_certs="ca.crt") checks chain and name; take this line out.'],
  },
  {
    in: ['.js', '.mjs', '.cjs', '.ts', '.json'],
    matches: /rejectUnauthorized["']?\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED\s*=\s*['"]?0/,
    remedy: ["Name the CA instead: { ca: fs.readFileSync('ca.crt') }"],
  },
  {
    in: ['.ino', '.cpp', '.h'],
    matches: /\.setInsecure\(\s*\)/,
    remedy: ['Give the client the CA instead: client.setCACert(ca) on an ESP32, setTrustAnchors on an ESP8266.'],
  },
];

const fileBytesMax = 262_144;

export function explainScripts(files: readonly string[]): Finding[] {
  return files.flatMap(file => {
    const fitting = habits.filter(habit => habit.in.includes(path.extname(file)));
    const text = fitting.length > 0 ? scriptText(file) : null;
    return text === null ? [] : fitting.flatMap(habit => inScript(file, text, habit));
  });
}

function inScript(file: string, text: string, { matches, remedy }: Habit): Finding[] {
  const lines = text.replaceAll('\\\n', '  ').split('\n');
  const numbers = lines.flatMap((line, at) => (matches.test(line) ? [at + 1] : []));
  if (numbers.length === 0) return [];
  return [
    {
      code: 'client.insecure',
      severity: 'warning',
      where: `${file}:${numbers.join(',')}`,
      saw: `it does not check who it talks to: ${lines[(numbers[0] ?? 1) - 1]?.trim() ?? ''}`,
      why: 'Anybody on the network can pretend to be the broker, and is given the password. It hides a fault of the certificate.',
      remedy: [...remedy],
    },
  ];
}

/** A file without an ending counts when it says that it is a script. */
function scriptText(file: string): string | null {
  try {
    const stats = fs.statSync(file);
    if (!stats.isFile() || stats.size > fileBytesMax) return null;
    const text = fs.readFileSync(file, 'utf8');
    return path.extname(file) !== '' || text.startsWith('#!') ? text : null;
  } catch {
    return null;
  }
}
