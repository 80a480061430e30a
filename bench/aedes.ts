/** aedes as its users run it: node bench/aedes.ts PORT [CERT KEY] */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';

const [port = '1883', cert, key] = process.argv.slice(2);
const broker = await Aedes.createBroker();
const server =
  cert === undefined || key === undefined
    ? createServer(broker.handle)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, broker.handle);
server.listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
