import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logClasses } from './classes.ts';
import { LogTopics, type LogMessage } from './log-topics.ts';
import { sinkBounds } from './sink.ts';

function topicsWithListener() {
  const published: LogMessage[] = [];
  const topics = new LogTopics(text => text);
  topics.publish = message => void published.push(message);
  return { topics, published };
}

test('a line is published on the topic of its class, QoS 2, not retained, for 20 seconds', () => {
  const { topics, published } = topicsWithListener();
  topics.write('1: Error: no.', 'error');
  assert.equal(published.length, 0);
  topics.flush();
  const message = { payload: '1: Error: no.', qos: 2, retain: false, expirySeconds: 20 };
  assert.deepEqual(published, [{ topic: '$SYS/broker/log/E', ...message }]);
});

test('debug and internal lines are never published', () => {
  const { topics, published } = topicsWithListener();
  for (const row of logClasses) topics.write('x', row.name);
  topics.flush();
  const letters = published.map(message => message.topic.slice('$SYS/broker/log/'.length));
  assert.deepEqual(letters, ['E', 'W', 'N', 'I', 'M/subscribe', 'M/unsubscribe', 'WS']);
});

test('a line that publishing brings about is not published itself', () => {
  const { topics, published } = topicsWithListener();
  topics.publish = message => {
    published.push(message);
    topics.write('Outgoing messages are being dropped for client a.', 'notice');
  };
  topics.write('first', 'notice');
  topics.flush();
  topics.flush();
  assert.equal(published.length, 1);
});

test('more lines than the bound are counted, and one message says how many were dropped', () => {
  const { topics, published } = topicsWithListener();
  for (let n = 0; n < sinkBounds.topicLinesMax + 3; n++) topics.write('x', 'notice');
  topics.flush();
  assert.equal(published.length, sinkBounds.topicLinesMax + 1);
  assert.match(published.at(-1)?.payload ?? '', /3 log lines were dropped/);
});
