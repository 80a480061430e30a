/**
 * A broker inside a program: sensors log in with a token of ours, and the program has their values as they come.
 *
 *   npm install zancudo && node sensors.mjs 1883
 *   mosquitto_pub -p 1883 -u kitchen -P secret-of-kitchen -t sensors/kitchen -m 21.5
 */
import { createBroker } from 'zancudo';

const broker = createBroker({
  listeners: [{ port: Number(process.argv[2] ?? 1883), host: '127.0.0.1', maxConnections: 100 }],
  settings: { maxQueuedMessages: 500, messageSizeLimit: 1000 },
  plugins: [
    {
      authenticate: ({ username, password }) =>
        password?.toString() === `secret-of-${username}` ? 'allow' : { deny: 'the token does not fit the name' },
      authorize: ({ action, topic, client }) =>
        action === 'publish' && topic !== `sensors/${client.username}`
          ? { deny: 'a sensor speaks for itself' }
          : 'allow',
    },
  ],
});

await broker.start();
console.log(`ready on port ${broker.listeners[0]?.port}`);

const values = new Map();
await broker.subscribe('sensors/+', ({ topic, payload }) => {
  const value = Number(payload.toString());
  values.set(topic, value);
  console.log(topic, value);
  if (value > 30) broker.publish('alarms/heat', `${topic} has ${value} degrees`, { qos: 1, retain: true });
});

process.once('SIGTERM', () => void broker.stop());
process.once('SIGINT', () => void broker.stop());
