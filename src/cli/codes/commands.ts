/** Pages: the clients and the other commands: connecting, the CA, devices, probes, the home. */
import type { Chapter } from './page.ts';

const connecting = {
  'connect.lookup': [
    'The name of the broker is not known.',
    'Check its spelling, and the name server of this machine.',
  ],
  'connect.srv': ['There is no SRV record for the service.', 'Name the host instead.'],
  'connect.socket': [
    'Nobody listens there, or there is no way to it.',
    'Is the broker running, and this its port? A firewall in between says nothing.',
  ],
  'connect.timeout': [
    'The broker did not answer in time.',
    'A firewall that swallows packets, or another service on this port.',
  ],
  'connect.refused': [
    'The broker answered, and refused: the message has its reason.',
    'Its log says more; `zancudo explain` asks it why.',
  ],
  'connect.password-without-username': [
    'MQTT 3.1.1 cannot send a password without a user name.',
    'Give -u, or use -V 5.',
  ],
  'mqtt.lost': ['The connection broke.', "The broker's log has the reason if the broker ended it."],
  'mqtt.closed-before-connack': [
    'The broker closed the connection without answering CONNECT: another version of MQTT, TLS on the port, or a limit.',
    "The broker's log has the reason.",
  ],
  'mqtt.disconnected': [
    'The broker ended the connection and said why (MQTT 5).',
    'Act on its reason; 0x8E means that another client has the same identifier.',
  ],
  'mqtt.keep-alive': ['The broker did not answer a PINGREQ in time.', 'The network is gone, or the broker is stuck.'],
  'mqtt.protocol': ['What the broker sent breaks the rules of MQTT.', 'Is it an MQTT broker?'],
  'mqtt.auth': ['The exchange of AUTH packets failed.', 'Check method, name and password.'],
  'mqtt.tls-port': [
    'The port speaks TLS, and this client does not.',
    'Give --cafile, or use the plain port (usually 1883).',
  ],
  'mqtt.http-port': [
    'A web server answers on this port.',
    'Use the MQTT port, or ws:// if it speaks MQTT over WebSocket.',
  ],
  'mqtt.ssh-port': ['An SSH server answers on this port.', 'Use the MQTT port.'],
  'client.insecure': [
    '--insecure: nobody looks whose certificate it is.',
    'Leave it out; connect by a name that the certificate holds.',
  ],
  'client.no-packet-id': ['65,535 requests are unanswered; there is no number left for another.', 'Wait for answers.'],
  'client.not-connected': ['There is no connection at the moment.', 'Wait until it is back.'],
  'client.queue-full': [
    'So many messages wait for the broker that no more are taken.',
    'Send more slowly, or wait for their acknowledgements.',
  ],
  'request.refused': ['The broker refused the request.', 'Look at the access rules.'],
  'request.timeout': ['Nobody answered the request in time.', 'Is there a client that answers on this topic?'],
  'websocket.handshake': [
    'The server did not open a WebSocket.',
    'Is this a listener with protocol websockets? A proxy in between has to pass Upgrade on.',
  ],
  'proxy.connect': ['The SOCKS proxy could not reach the broker.', 'Check host and port, and what the proxy allows.'],
  'proxy.closed': ['The SOCKS proxy closed the connection.', 'Look at its log.'],
  'proxy.credentials': ['Name or password are too long for SOCKS.', 'At most 255 bytes each.'],
  'proxy.method': [
    'The SOCKS proxy wants a way to log in that was not offered.',
    'Give it a user name and password, or none.',
  ],
  'proxy.name': ['The name of the broker is too long for SOCKS.', 'Use its address.'],
  'proxy.protocol': ['What answers there is no SOCKS 5 proxy.', 'Check host and port of the proxy.'],
  'proxy.refused': ['The SOCKS proxy does not take this name and password.', 'Correct them.'],
  'profile.broken': [
    'A profile cannot be used; the message says why.',
    'Mend its file, or make it anew with `zancudo profile`.',
  ],
} satisfies Chapter;

const authority = {
  'pki.no-ca': ['There is no CA in this home.', '`zancudo ca init` makes one.'],
  'pki.no-certificate': ['The file holds no certificate that can be read.', 'Give the certificate in PEM or DER.'],
  'pki.no-certificates': [
    'The answer holds no certificates that can be read: that is no EST server.',
    '`--via mqtt` asks by MQTT.',
  ],
  'pki.no-key': ['The file holds no private key.', 'Give the key that belongs to the certificate.'],
  'pki.passphrase': [
    'The key is protected by a passphrase, and it was not given or is another.',
    'Give it when asked.',
  ],
  'pki.file-unreadable': [
    'A file of the CA cannot be read.',
    'Give it to the user who runs this command, or bring back a copy.',
  ],
  'pki.not-a-ca': ['The certificate is not that of a CA.', 'It has to carry basicConstraints=critical,CA:TRUE.'],
  'pki.not-a-root': ['The certificate is not a root: another CA has signed it.', 'Give the root.'],
  'pki.ca-dates': [
    'The CA has expired, is not valid yet, or ends too soon to issue anything.',
    'Renew it with its own key.',
  ],
  'pki.ca-ed25519': [
    'The CA has an Ed25519 key, which many clients do not understand.',
    'Make a CA with P-256 or RSA.',
  ],
  'pki.ca-path-length': [
    'The CA may not have another CA below itself, or not so many.',
    'The finding says what can be done instead.',
  ],
  'pki.ca-weak': [
    'The key or the signature of the CA is too weak; clients refuse it.',
    'Make a new one: P-256, or RSA of 2048 bits or more.',
  ],
  'pki.ca-without-key-usage': [
    'The CA does not say that it may sign certificates or revocation lists.',
    'Issue it again with keyUsage=critical,keyCertSign,cRLSign.',
  ],
  'pki.key-mismatch': ['Certificate and key do not belong together.', 'Find the key that does.'],
  'pki.key-kind': [
    'No certificates can be signed with a key of this kind.',
    'RSA, ECDSA on P-256, P-384 or P-521, or Ed25519.',
  ],
  'pki.key-away': [
    'The key that is needed is not on this machine.',
    'Bring back the folder from where you keep it; the finding has the command.',
  ],
  'pki.root-needed': [
    'The issuing CA ends, and the root that renews it is not here.',
    'Bring the root back and start again.',
  ],
  'pki.same-root': ['This CA is the root already.', 'There is nothing to change.'],
  'pki.two-roots': [
    "The root that was found is another one than this home's.",
    'Put back the folder root/ that belongs to it.',
  ],
  'pki.rollover-open': [
    'The last change of root is not finished.',
    '`zancudo ca list` shows who has not moved; then `zancudo ca rollover --finish`.',
  ],
  'pki.no-rollover': ['No change of root is under way.', '`zancudo ca rollover` begins one.'],
  'pki.subject-of-issuer': [
    'The certificate would carry the name of the CA that signs it; clients refuse such a one.',
    'Give it another name.',
  ],
  'pki.name-taken': ['Somebody or something has this name already.', 'Choose another one.'],
  'pki.unusable-name': [
    'The name cannot stand in a certificate or a client identifier of this kind.',
    'The finding says what can.',
  ],
  'pki.request-refused': [
    'The request for a certificate is broken, or asks for what is not given.',
    'The finding says what.',
  ],
  'pki.foreign-certificate-ends': [
    "The server's certificate ends, and is not of our CA, so the broker cannot renew it.",
    'Renew it where it comes from.',
  ],
  'pki.journal-damaged': [
    'The list of what was issued and revoked has a line that is not ours; going on without it would forget a certificate.',
    'Bring back a copy of the file.',
  ],
  'pki.locked': [
    'Another process writes in the folder of the CA.',
    'Wait; if none is running, remove the lock file the finding names.',
  ],
  'cli.file-there': ['The file to be written is there already.', 'Choose another name, or remove it.'],
  'cli.no-such-certificate': ['There is no certificate of this name or number.', '`zancudo ca list` shows all.'],
  'cli.not-ours': ['The certificate is not of this CA.', 'Revoke it where it was issued.'],
  'device.unknown': ['There is no device of this name.', '`zancudo device list` shows all.'],
  'device.revoked': [
    "The device's certificate is revoked.",
    'Invite it anew with `zancudo device invite NAME --again`, or add it under another name.',
  ],
  'device.kit-there': [
    'There is a kit of this device already, which may hold the only copy of its key.',
    'Use it, or move it away.',
  ],
  'expiry.ca': ['A CA ends soon, or has ended.', 'Renew it with its own key; everything below it ends with it.'],
  'expiry.certificate': ["The server's certificate ends soon, or has ended.", 'Renew it and reload.'],
  'expiry.device': [
    'The certificate of a device ends soon, or has ended.',
    '`zancudo device renew`, or let it renew itself with `zancudo enroll`.',
  ],
  'expiry.revocation-list': [
    'A revocation list is soon out of date, or is; then nobody of its CA is let in.',
    'Let the CA write a new one and reload.',
  ],
} satisfies Chapter;

const examined = {
  'doctor.no-home': ['There is no home to look at.', 'Name the configuration file, a home, or HOST:PORT.'],
  'doctor.nothing-there': ['There is nothing where the doctor was asked to look.', 'Correct the path or the address.'],
  'machine.clock': [
    'The clock of this machine is wrong: certificates seem expired or not valid yet.',
    'Set it, and let it be set by NTP.',
  ],
  'file.missing': ['The configuration names a file that is not there.', 'Correct the path, or make the file.'],
  'file.open-to-others': [
    'A file with secrets can be read by everybody on this machine.',
    '`chmod 0600 FILE`; `zancudo doctor --fix` does.',
  ],
  'file.replaceable': [
    'Everybody on this machine may write to a folder above a file the broker trusts, and put another in its place.',
    '`chmod o-w` on the folder the finding names.',
  ],
  'home.disk': [
    'The home cannot be written: the disk is full or read-only.',
    'Make room, or choose another place with --home.',
  ],
  'home.open-to-others': ['The home, with its keys, is open to others.', '`chmod 0700` on the folder.'],
  'home.unusable-path': ['The home cannot be where it was asked to be.', 'Choose another place with --home.'],
  'home.root-key-here': [
    'The key of the root CA is on this machine, where it is needed once in years.',
    'Keep it on a stick; the finding has the command.',
  ],
  'ext.alternative-names-repeated': [
    'A file of extensions has several subjectAltName lines; OpenSSL keeps the last one only.',
    'Write all names into one line.',
  ],
  'ext.non-breaking-spaces': [
    'A file of extensions has non-breaking spaces from a web page, which OpenSSL does not take for blanks.',
    'Replace them; `zancudo doctor --fix` does.',
  ],
  'probe.address': ['The device does not look for addresses in a certificate.', 'Let it connect by a name.'],
  'probe.chain-length': [
    'The chain has more certificates than the device takes.',
    'Let a CA nearer to the root issue the certificate.',
  ],
  'probe.client-certificate': [
    'The listener wants a client certificate, and the device shows none.',
    'Make it one: `zancudo device add NAME`.',
  ],
  'probe.curve': ['A key is on a curve the device does not know.', 'Use P-256.'],
  'probe.expired': ['The certificate has expired for the device.', 'Renew it.'],
  'probe.handshake': ['The handshake as this device would do it failed.', 'The message says at what.'],
  'probe.key-kind': [
    'A key is of a kind the device does not know.',
    'Use P-256 or RSA-2048; certfile_rsa and keyfile_rsa give a second chain.',
  ],
  'probe.key-size': ['A key is larger or smaller than the device takes.', 'Use RSA-2048 or P-256.'],
  'probe.lifetime': ['The certificate is valid longer than the device takes.', 'Issue it for a shorter time.'],
  'probe.mqtt': ['TLS works, and MQTT does not.', "The message has the broker's answer."],
  'probe.name': ['The certificate does not hold the name the device would use.', 'Issue it with that name.'],
  'probe.not-yet-valid': ['The certificate is not valid yet for the device.', 'Set the clocks.'],
  'probe.own-key-kind': [
    "The device's own key is of a kind it does not know.",
    '`zancudo device add NAME`, with --key rsa for RSA-2048.',
  ],
  'probe.purpose': ['The certificate is not made for what the device wants of it.', 'Issue it with serverAuth.'],
  'probe.refused': ['The server refused the device.', "The broker's log says why."],
  'probe.same-subject': ['Server and CA have the same name.', 'Issue the server another certificate.'],
  'probe.signature': ['A signature is of a kind the device does not know.', 'Issue it with SHA-256.'],
  'probe.suite': [
    'Server and device have no cipher suite, curve or signature in common.',
    'Loosen ciphers, or add a chain of the other kind.',
  ],
  'probe.unknown-ca': [
    'The device does not trust the CA.',
    'Give it the CA certificate; its kit has it (`zancudo device add NAME`).',
  ],
  'probe.unsteady': ['The server refused one handshake and took the next.', 'Try again.'],
  'probe.version': ['The server takes no TLS version that the device knows.', 'Set tls_version tlsv1.2.'],
  'probe.websocket': ['TLS works, and the WebSocket does not open.', 'Is it a listener with protocol websockets?'],
} satisfies Chapter;

export const commandCodes = { ...connecting, ...authority, ...examined } satisfies Chapter;
