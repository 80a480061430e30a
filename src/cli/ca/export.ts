/** `ca export`: the CA in the form that somebody asks for. It is public; no key is ever exported. */
import fs from 'node:fs';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';
import { authorityFiles, readLedger } from '../../pki/mod.ts';
import { cHeader } from '../kit/c-header.ts';
import { caPage } from '../kit/ca-page.ts';
import { outOption } from './options.ts';
import { type Call, type Subcommand, UsageError } from './subcommand.ts';
import { writeNewFiles } from './written.ts';

const forms: Record<string, (ca: X509Certificate, call: Call) => string | Buffer> = {
  pem: ca => ca.toString(),
  der: ca => ca.raw,
  'c-header': ca => cHeader(`CA of the broker, SHA-256 ${ca.fingerprint256}`, { ca_pem: ca.toString() }),
  html: (ca, call) => caPage(ca, call.value('--url')),
};

export const exportCommand: Subcommand = {
  name: 'export',
  atLeast: 0,
  atMost: 0,
  options: [
    {
      long: '--form',
      argument: 'FORM',
      completes: Object.keys(forms),
      says: 'pem (the default), der, c-header, or html: a page with fingerprint and QR code for phones.',
    },
    { long: '--url', argument: 'URL', says: 'With html: where you serve the certificate; the QR code leads there.' },
    outOption,
  ],
  says: 'The certificate of the CA, which is public: to standard output unless --out names a file.',
  run(call) {
    const { folder } = call.home;
    readLedger(folder);
    const form = call.value('--form') ?? 'pem';
    const make = Object.hasOwn(forms, form) ? forms[form] : undefined;
    if (make === undefined) throw new UsageError(`--form is one of ${Object.keys(forms).join(', ')}.`);
    const content = make(new X509Certificate(fs.readFileSync(authorityFiles(folder).anchor)), call);
    const out = call.value('--out');
    if (out !== null) call.say(...writeNewFiles(path.dirname(out), [{ name: path.basename(out), content }]));
    else if (typeof content === 'string') call.context.print(content);
    else throw new UsageError(`--form ${form} is not text; name a file with --out.`);
    return 0;
  },
};
