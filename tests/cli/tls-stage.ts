/**
 * Servers that are wrong in one way each, and the certificates for them, made by OpenSSL's command.
 *
 *   ca              the authority of most; renewed-ca: the same name, another key; weak-ca: RSA-1024
 *   good ...        certificates of the server, the name says what is wrong with them
 *   client ...      certificates of clients
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server as PlainServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { freePort, run } from '../harness/mod.ts';

const script = `set -e
ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
authority() { openssl req -x509 $3 -days 30 -keyout $1.key -out $1.crt -subj "$2" -addext keyUsage=critical,keyCertSign,cRLSign; }
request() { openssl req -new $3 -keyout $1.key -out $1.csr -subj "$2"; }
issue() { # name, subject, extensions, authority, days, key, further options
  request $1 "$2" "\${6:-$ec}"
  echo "$3" > $1.ext
  openssl x509 -req -in $1.csr -CA $4.crt -CAkey $4.key -CAcreateserial -extfile $1.ext -days $5 $7 -out $1.crt
}
names=subjectAltName=DNS:localhost,IP:127.0.0.1
authority ca "/CN=Casa" "$ec"
authority renewed-ca "/CN=Casa" "$ec"
authority other-ca "/CN=Otra casa" "$ec"
authority twin-ca "/CN=User-PC.local" "$ec"
authority weak-ca "/CN=MiCA" "-newkey rsa:1024 -nodes"
cat other-ca.crt weak-ca.crt > bundle.crt
issue good /CN=localhost $names ca 30
issue elsewhere /CN=x subjectAltName=DNS:futro-s450,IP:192.168.1.20 ca 30
issue expired /CN=localhost $names ca -1
issue twin /CN=User-PC.local "" twin-ca 30
issue weak /CN=localhost $names ca 30 "-newkey rsa:1024 -nodes"
issue under-weak /CN=localhost $names weak-ca 30
issue sha1 /CN=localhost $names ca 30 "$ec" -sha1
issue for-clients /CN=localhost "$names
extendedKeyUsage=clientAuth" ca 30
issue no-ca /CN=Nobody basicConstraints=critical,CA:false ca 30
issue under-no-ca /CN=localhost $names no-ca 30
cat no-ca.crt >> under-no-ca.crt
request early /CN=localhost "$ec"
printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=db\\nserial=sn\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' > ca.cnf
: > db; echo 01 > sn
openssl ca -batch -notext -config ca.cnf -cert ca.crt -keyfile ca.key -startdate 20990101000000Z -enddate 20991231000000Z -in early.csr -out early.crt
issue client /CN=device extendedKeyUsage=clientAuth ca 30
issue strange-client /CN=stranger extendedKeyUsage=clientAuth other-ca 30
issue expired-client /CN=old extendedKeyUsage=clientAuth ca -1
`;

export async function makeWrongCertificates(directory: string): Promise<(name: string) => string> {
  const result = await run('/bin/sh', ['-c', script], { cwd: directory });
  if (result.code !== 0) throw new Error(`openssl: ${result.output}`);
  return name => join(directory, name);
}

export interface Listening {
  port: number;
  close: () => void;
}

/** A TLS server that takes what it gets and answers nothing. Keys of any length, as old brokers had them. */
export function serveTls(file: (name: string) => string, certificate: string, more: TlsOptions): Promise<Listening> {
  const cert = readFileSync(file(`${certificate}.crt`));
  const key = readFileSync(file(`${certificate}.key`));
  return listening(createTlsServer({ cert, key, ciphers: 'DEFAULT@SECLEVEL=0', ...more }, socket => socket.on('error', () => {}))); // prettier-ignore
}

/** A server that closes whatever comes, or says a few words to it first. */
export function serveWords(words: string | null): Promise<Listening> {
  return listening(createServer(socket => socket.on('error', () => {}).once('data', () => socket.end(words ?? ''))));
}

async function listening(server: PlainServer): Promise<Listening> {
  const port = await freePort();
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return { port, close: () => void server.close() };
}
