/** Pages: TLS and certificates, seen from the broker, from its files, and from a client. */
import type { Chapter } from './page.ts';

/** The broker's log: what went wrong in a handshake. */
const handshakes = {
  'tls.plain-on-tls-port': [
    'Plain MQTT came to a TLS port.',
    'Let the client use TLS (mosquitto_sub: --cafile CA), or connect to a listener without TLS.',
  ],
  'tls.http-on-tls-port': [
    'HTTP without TLS came to a TLS port. OpenSSL: http request.',
    'Use https:// or wss://, on a listener with protocol websockets.',
  ],
  'tls.not-tls': [
    'What came to a TLS port is no TLS handshake: a port scan, or a device set to another protocol. OpenSSL: wrong version number.',
    'The first bytes are in the line. Look at what the device is meant to speak.',
  ],
  'tls.broken-off': [
    'The client broke off the handshake without saying why; Node.js clients do so when they do not trust our certificate.',
    'Give the client our CA certificate, and connect by a name that our certificate holds.',
  ],
  'tls.silent-leave': [
    'The client left right after the handshake, before CONNECT: usually it does not trust our certificate, or misses its name there.',
    'Give the client our CA certificate, and connect by a name that our certificate holds.',
  ],
  'tls.no-client-certificate': [
    'This listener requires a client certificate and the client sent none. OpenSSL: peer did not return a certificate.',
    'Give the client a certificate and key signed by our CA (mosquitto_sub: --cert and --key), or set require_certificate false.',
  ],
  'tls.client-distrusts-ca': [
    'The client does not trust the CA that signed our certificate. OpenSSL: tlsv1 alert unknown ca.',
    'Give the client our CA certificate (mosquitto_sub: --cafile).',
  ],
  'tls.client-says-expired': [
    'The client says that our certificate has expired.',
    "Renew the server certificate; if it is still valid, set the client's clock.",
  ],
  'tls.client-says-revoked': ['The client says that our certificate is revoked.', 'Issue a new server certificate.'],
  'tls.client-broke-off': [
    'The client broke off by itself; mosquitto clients do so when the name or address they connect to is not in our certificate. OpenSSL: tlsv1 alert internal error.',
    'Connect by a name that the certificate holds in subjectAltName, or issue it with that name.',
  ],
  'tls.client-rejects-certificate': [
    'The client does not accept our certificate: it is not trusted there, its key is too weak, or it does not hold the name the client connects to. OpenSSL: alert bad certificate, alert certificate unknown.',
    'Give the client our CA certificate; check key size and subjectAltName. `zancudo doctor` looks at both.',
  ],
  'tls.client-cannot-verify': [
    'The client could not verify what we sent: often another CA with the same name as ours.',
    'Copy the present CA certificate to the client.',
  ],
  'tls.client-agrees-on-nothing': [
    'The client found nothing it can agree on with us: TLS version, ciphers, groups or kind of certificate. OpenSSL: alert handshake failure, alert protocol version.',
    "Update the client's TLS library. `zancudo probe` tries the listener as such a device would.",
  ],
  'tls.client-gave-up': ['The client gave up the handshake.', "Look at the client's own log."],
  'tls.version-too-old': [
    'The client offers only TLS versions that this listener does not. OpenSSL: unsupported protocol.',
    "Update the client's TLS library: TLS 1.2 or 1.3 is needed.",
  ],
  'tls.no-common-cipher': [
    'Client and listener have no cipher in common: a client that knows only RSA cannot use an ECDSA certificate, and a listener with psk_hint serves pre-shared keys alone. OpenSSL: no shared cipher.',
    'Check ciphers and the kind of certificate; certfile_rsa and keyfile_rsa give a second chain.',
  ],
  'tls.no-common-signature': [
    'The client accepts no signature that our certificate can make.',
    'Add a chain of the other kind: ECDSA in certfile and keyfile, RSA in certfile_rsa and keyfile_rsa.',
  ],
  'tls.no-common-group': [
    'Client and listener have no key exchange group in common. OpenSSL: no suitable key share.',
    'Remove tls_groups, or add a group that the client knows (X25519, P-256).',
  ],
  'tls.no-common-protocol': [
    'The client asks by ALPN for a protocol that is not spoken here. OpenSSL: no application protocol.',
    'Let the client offer "mqtt" (or "http/1.1" for WebSocket), or no ALPN at all.',
  ],
  'tls.psk-unknown-identity': [
    "The client's PSK identity is not in psk_file. OpenSSL: psk identity not found.",
    'Add a line identity:hexkey to psk_file and reload, or correct the identity on the client.',
  ],
  'tls.psk-wrong-key': [
    'What the client sent does not decrypt: its pre-shared key is not the one in psk_file, or the bytes were changed on the way. OpenSSL: decryption failed or bad record mac.',
    'Compare the key on both sides.',
  ],
  'tls.psk-not-proved': [
    'The handshake did not prove a pre-shared key.',
    'Give the client an identity and key of psk_file.',
  ],
  'tls.psk-withdrawn': [
    'After a reload the pre-shared key of a connected client is no longer in psk_file, so it was disconnected.',
    'Add it again if that was not meant.',
  ],
  'tls.client-key-not-proved': [
    'The client could not prove that the key of its certificate is its own.',
    "Check that the client's certificate and key belong together.",
  ],
  'tls.handshake-failed': [
    "The handshake failed for a reason that OpenSSL's words in the line above have to tell.",
    "`zancudo probe` and `openssl s_client -connect HOST:PORT` show the same from the client's side.",
  ],
} satisfies Chapter;

/** The broker's verdict on a client's certificate. */
const verdicts = {
  'tls.client-certificate-expired': [
    "The client's certificate has expired.",
    'Issue a new one. If it is still valid, look at the clock of this machine.',
  ],
  'tls.client-ca-expired': [
    "A CA above the client's certificate has expired.",
    'Renew that CA with its own key, or issue the client a certificate from another one.',
  ],
  'tls.client-certificate-not-yet-valid': [
    "The client's certificate is not valid yet: one of two clocks is wrong.",
    'Set the clock of this machine, or of the one that issued the certificate.',
  ],
  'tls.client-certificate-revoked': [
    "The client's certificate was revoked.",
    'Issue a new one with a new key, if the client may come back.',
  ],
  'tls.client-certificate-unknown-ca': [
    "The client's certificate leads to no CA that is trusted here.",
    'Issue it from the CA in cafile; an intermediate CA needs its root in cafile too.',
  ],
  'tls.client-certificate-purpose': [
    'The certificate is not made for a client: extendedKeyUsage has no clientAuth.',
    'Issue it with clientAuth.',
  ],
  'tls.client-certificate-issuer-no-ca': [
    'The certificate was issued by something that is not a CA.',
    'A CA carries basicConstraints=critical,CA:TRUE. Issue it from a proper CA.',
  ],
  'tls.client-certificate-forged': [
    'The certificate does not bear the signature of the CA it names: it is damaged or forged.',
    'Copy it to the client again, or issue it anew.',
  ],
  'tls.client-certificate-weak': [
    'A key or a signature in the chain is below what OpenSSL accepts: RSA under 2048 bits, MD5, SHA-1.',
    'Make a new key (P-256, or RSA of 2048 bits or more) and a certificate signed with SHA-256.',
  ],
  'tls.client-certificate-chain-too-long': [
    'There are too many CAs above the certificate.',
    'Issue it from a CA nearer to the root.',
  ],
  'tls.client-certificate-refused': [
    "The certificate was refused; OpenSSL's word is in the line. OpenSSL: certificate verify failed.",
    '`openssl verify -purpose sslclient -CAfile CAFILE CERTIFICATE` looks at it.',
  ],
  'tls.client-certificate-missing': [
    'A client certificate is required by now, and this client showed none when it connected.',
    'Give it one.',
  ],
  'tls.client-certificate-unreadable': [
    'The client sent something that cannot be read as a certificate.',
    'Copy the certificate to the client again.',
  ],
  'tls.client-certificate-required': [
    'The broker requires a client certificate, and this client has none.',
    'Give it one with --cert and --key.',
  ],
  'tls.crl-missing': [
    'Revocation is to be checked, and there is no list of this CA in crlfile.',
    'Let the CA write its list (`openssl ca -gencrl`) and put it into crlfile.',
  ],
  'tls.crl-expired': [
    'The revocation list is older than it may be, so nobody of that CA can be let in.',
    'Let the CA write a new one, put it into crlfile and reload. Our own CA does so by itself.',
  ],
  'tls.crl-not-yet-valid': ['The revocation list is from the future: one of two clocks is wrong.', 'Set the clock.'],
  'tls.crl-unusable': [
    'Revocation cannot be checked: the list is missing, out of date, or not signed by its CA.',
    'Let the CA write a new list, put it into crlfile and reload.',
  ],
  'tls.crl-foreign': ['The revocation list is of another CA.', 'Put the list of the CA in cafile into crlfile.'],
  'tls.crl-unreadable': ['crlfile holds no revocation list.', 'It has to be PEM or DER of a CRL.'],
} satisfies Chapter;

/** The broker's own files. */
const files = {
  'tls.file-missing': [
    'A file of the TLS settings is not there.',
    'Correct the path; the finding names the nearest one that exists.',
  ],
  'tls.file-forbidden': [
    'The user the broker runs as may not read a file of the TLS settings.',
    'Give it the file, or let systemd hand it over; the finding has the command.',
  ],
  'tls.file-unreadable': [
    'A file of the TLS settings cannot be read: a folder, or a failing disk.',
    'Name the file itself.',
  ],
  'tls.file-empty': [
    'A file of the TLS settings is empty: the program that wrote it was interrupted.',
    'Write it again.',
  ],
  'tls.file-too-large': ['A file of the TLS settings is far larger than any certificate.', 'Is it the right one?'],
  'tls.certificate-broken': ['The file is cut off or changed: no certificate can be read from it.', 'Copy it again.'],
  'tls.not-a-certificate': [
    'The file holds something else than a certificate.',
    'certfile takes the certificate, keyfile the key; have they been swapped?',
  ],
  'tls.not-a-key': [
    'The file holds something else than a private key.',
    'certfile takes the certificate, keyfile the key; have they been swapped?',
  ],
  'tls.key-encrypted': [
    'The key is protected by a passphrase, which nobody types when a broker starts.',
    '`openssl pkey -in OLD -out NEW` takes it off; keep the file for the broker alone.',
  ],
  'tls.key-mismatch': [
    'Certificate and key do not belong together.',
    'Find the key the certificate was made for, or issue it anew.',
  ],
  'tls.key-too-small': [
    'The key is so small that clients refuse it, and that it can be broken.',
    'Make one of 2048 bits or more, or P-256.',
  ],
  'tls.signature-weak': [
    'The certificate is signed with MD5 or SHA-1; clients refuse it.',
    'Issue it again with SHA-256.',
  ],
  'tls.certificate-expired': ['The certificate has expired; clients refuse it.', 'Renew it and reload.'],
  'tls.certificate-not-yet-valid': [
    'The certificate is not valid yet.',
    'Set the clock of this machine, or of the one that issued it.',
  ],
  'tls.certificate-version-1': [
    'The certificate is of version 1 and has no extensions, so no names in subjectAltName.',
    'Issue it with an extension file; the finding has the commands.',
  ],
  'tls.lifetime-long': [
    'The certificate is valid for so long that some clients refuse it.',
    'Issue it for 825 days or less.',
  ],
  'tls.no-alternative-names': [
    'The certificate has no subjectAltName; most clients look nowhere else for the name.',
    'Issue it again with all names and addresses clients use.',
  ],
  'tls.alternative-names-lost': [
    'Names were meant to be in the certificate and are not: of several subjectAltName lines only the last one counts.',
    'Write them into one line and issue it again.',
  ],
  'tls.few-alternative-names': [
    'The certificate is good for few names only.',
    'If clients use others, issue it with all of them.',
  ],
  'tls.subject-blanks': [
    'A blank was typed at the end of a part of the subject; it is part of the name now.',
    'Leave it out the next time.',
  ],
  'tls.same-subject': [
    'Server and CA have the same name, so that OpenSSL takes the certificate for one that signed itself.',
    'Issue the server another one, with another name.',
  ],
  'tls.chain-open': [
    'Between the certificate and the CA that clients trust, one is missing.',
    'Append the intermediate certificates to certfile.',
  ],
  'tls.chain-order': [
    "The certificates in certfile are not in order: the server's own first, then each one's issuer.",
    'Put them in order.',
  ],
  'tls.no-extended-key-usage': [
    'The certificate does not say what it is for; some clients want serverAuth.',
    'Issue it with extendedKeyUsage=serverAuth.',
  ],
  'tls.not-a-server-certificate': [
    'The certificate is made for something else than a server.',
    'Issue one with extendedKeyUsage=serverAuth.',
  ],
  'tls.not-a-ca': [
    'What stands where a CA should stand is none.',
    'cafile takes the certificate of the CA, not that of the server.',
  ],
  'tls.certificate-as-ca': [
    "The server's own certificate was given as the CA.",
    'Give the certificate of the CA that issued it.',
  ],
  'tls.ca-expired': [
    'A CA in cafile has expired; everything below it is refused.',
    'Renew it with its own key, or replace it.',
  ],
  'tls.ca-not-yet-valid': ['A CA in cafile is not valid yet.', 'Set the clock.'],
  'tls.ca-key-too-small': ['The key of a CA is so small that clients refuse what it signs.', 'Make a new CA.'],
  'tls.ca-no-key-usage': [
    'A CA does not say that it may sign certificates; strict clients refuse what is below it.',
    'Issue it again with keyUsage=critical,keyCertSign,cRLSign.',
  ],
  'tls.ca-key-on-broker': [
    'The key of the CA lies where the broker is: whoever breaks in can make certificates.',
    'Keep it on another machine or a stick.',
  ],
  'tls.load-failed': [
    'OpenSSL refuses the files together; its words are in the finding.',
    'Look at each of them with `zancudo doctor`.',
  ],
  'tls.version-obsolete': ['The server takes TLS 1.1 or older.', 'Set tls_version tlsv1.2.'],
} satisfies Chapter;

/** Our clients: why they could not connect. */
const clients = {
  'tls.unknown-ca': [
    "The broker's certificate is issued by a CA that is not trusted here.",
    'Give its CA certificate with --cafile.',
  ],
  'tls.wrong-name': [
    "The broker's certificate does not hold the name or address that was used.",
    'Connect by one of the names the message lists, or issue it with this one.',
  ],
  'tls.wrong-purpose': ['The certificate is not made for a server.', 'Issue one with serverAuth.'],
  'tls.expired': ["The broker's certificate has expired.", "Renew it; if it is still valid, set this machine's clock."],
  'tls.not-yet-valid': ["The broker's certificate is not valid yet, by this machine's clock.", 'Set the clock.'],
  'tls.weak-key': ["A key in the broker's chain is too small to be trusted.", 'Make a new one.'],
  'tls.weak-signature': [
    "A signature in the broker's chain is too weak to be trusted.",
    'Issue it again with SHA-256.',
  ],
  'tls.verify': [
    "The broker's certificate does not hold; the verdict is in the message.",
    '`zancudo doctor HOST:PORT` looks at the whole chain.',
  ],
  'tls.version': ['Broker and client have no TLS version in common.', 'Allow TLS 1.2 on both sides.'],
  'tls.handshake-failure': [
    'The broker ended the handshake: no cipher in common, or it wants a certificate or a pre-shared key.',
    "Give --cert and --key, or --psk and --psk-identity. The broker's log says which.",
  ],
  'tls.handshake': ['The handshake failed in a way that has no plain word.', "The broker's log may know more."],
  'tls.closed': [
    'The broker closed the connection during the handshake: often a plain port.',
    'Does the port speak TLS? 8883 usually does.',
  ],
  'tls.plain-port': ['The port does not speak TLS.', 'Use the TLS port (usually 8883), or leave the TLS options out.'],
  'tls.psk-refused': [
    'The broker does not know the identity, or its key is another.',
    'Does identity:key stand in its psk_file?',
  ],
  'tls.psk-not-used': [
    'The broker did not use the pre-shared key.',
    'Does the listener have psk_hint, and the identity a line in psk_file?',
  ],
  'tls.file': ['A file given to the client cannot be read.', 'Correct the path.'],
  'tls.file-content': [
    'A file given to the client holds something else than it should.',
    '--cafile and --cert take certificates in PEM, --key the key.',
  ],
  'tls.options': ['The TLS options cannot be used together.', 'The message says which.'],
  'tls.ocsp': [
    'The broker does not show that its certificate is not revoked, as was required.',
    'It has to fetch an answer from its CA and staple it.',
  ],
} satisfies Chapter;

export const tlsCodes = { ...handshakes, ...verdicts, ...files, ...clients } satisfies Chapter;
