/**
 * A small public-key infrastructure of OpenSSL's making:
 *
 *   ca ─┬─ server (localhost, 127.0.0.1, ::1)    other-ca ── stranger
 *       ├─ server2, the same again               ca ── server-rsa
 *       ├─ alice, bob, carol: clients
 *       ├─ expired, future: clients whose time is over or has not come
 *       └─ not-a-client: a certificate for servers only
 *   crl-none.pem revokes nobody, crl-alice.pem revokes alice, crl-stale.pem is past its nextUpdate
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { run } from '../harness/mod.ts';
import type { Folder } from './stage.ts';

const script = `set -e
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
authority() {
  openssl req -x509 $key -days 30 -keyout $1.key -out $1.crt -subj "/O=Test/CN=$2" -addext keyUsage=critical,keyCertSign,cRLSign
  mkdir $1.d; touch $1.d/index.txt; echo 1000 > $1.d/serial; echo 01 > $1.d/crlnumber
  printf "[ca]\\ndefault_ca=x\\n[x]\\ndir=$1.d\\ndatabase=$1.d/index.txt\\nserial=$1.d/serial\\ncrlnumber=$1.d/crlnumber\\nnew_certs_dir=$1.d\\ncertificate=$1.crt\\nprivate_key=$1.key\\ndefault_md=sha256\\npolicy=p\\nunique_subject=no\\n[p]\\norganizationName=optional\\ncommonName=supplied\\n" > $1.cnf
}
# name, authority, subject, extensions, further arguments
issue() {
  name=$1 authority=$2 subject=$3 extensions=$4; shift 4
  openssl req -new $key -keyout $name.key -out $name.csr -subj "$subject"
  printf "$extensions\\n" > $name.ext
  openssl ca -batch -notext -config $authority.cnf -extfile $name.ext -in $name.csr -out $name.crt "$@"
}
authority ca "Test authority"
authority other-ca "Other authority"
san="subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
issue server ca /CN=localhost "$san" -days 30
issue server2 ca /CN=localhost "$san" -days 30
for who in alice bob carol; do issue $who ca "/O=Org/CN=$who" "extendedKeyUsage=clientAuth" -days 30; done
issue expired ca /CN=expired "extendedKeyUsage=clientAuth" -startdate 20200101000000Z -enddate 20200201000000Z
issue future ca /CN=future "extendedKeyUsage=clientAuth" -startdate 20480101000000Z -enddate 20490101000000Z
issue not-a-client ca /CN=not-a-client "extendedKeyUsage=serverAuth" -days 30
issue stranger other-ca /CN=stranger "extendedKeyUsage=clientAuth" -days 30
openssl ca -config ca.cnf -gencrl -crldays 30 -out crl-none.pem
openssl ca -config ca.cnf -revoke alice.crt
openssl ca -config ca.cnf -gencrl -crldays 30 -out crl-alice.pem
openssl ca -config ca.cnf -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z -out crl-stale.pem
key="-newkey rsa:2048 -nodes"
issue server-rsa ca /CN=localhost "$san" -days 30
mkdir hashed; cp ca.crt hashed/; openssl rehash hashed
`;

export async function makeInfrastructure(folder: Folder): Promise<void> {
  const { code, output } = await run('/bin/sh', ['-c', script], { cwd: folder.path });
  assert.equal(code, 0, output);
}

/** How a client of this infrastructure dials: `who` has a certificate, null shows none. */
export function tlsOf(folder: Folder, who: string | null, more: ConnectionOptions = {}): ConnectionOptions {
  const read = (name: string): Buffer => readFileSync(join(folder.path, name));
  return {
    ca: read('ca.crt'),
    servername: 'localhost',
    ...(who === null ? {} : { cert: read(`${who}.crt`), key: read(`${who}.key`) }),
    ...more,
  };
}
