/**
 * Certificates for tests, made by OpenSSL's command and not by src/pki: what the broker is given is a stranger's work.
 *
 *   ca.crt ca.key           an authority
 *   server.crt server.key   for localhost, 127.0.0.1 and ::1
 *   client.crt client.key   common name `device`
 */
import { join } from 'node:path';
import { run } from './machine.ts';

const script = `set -e
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $key -days 30 -keyout ca.key -out ca.crt -subj "/CN=Test authority" -addext keyUsage=critical,keyCertSign,cRLSign
issue() {
  openssl req -new $key -keyout $1.key -out $1.csr -subj "/CN=$2"
  echo "$3" > $1.ext
  openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile $1.ext -out $1.crt
}
issue server localhost "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
issue client device "extendedKeyUsage=clientAuth"
`;

/** Makes them in this directory and says where each file is. */
export async function makeCertificates(directory: string): Promise<(name: string) => string> {
  const result = await run('/bin/sh', ['-c', script], { cwd: directory });
  if (result.code !== 0) throw new Error(`openssl: ${result.output}`);
  return name => join(directory, name);
}
