import assert from 'node:assert/strict';
import test from 'node:test';
import { propertiesFromJson, propertiesToJson } from './stored-properties.ts';

const text =
  '[{"identifier":"user-property","name":"u1","value":"v1"},{"identifier":"payload-format-indicator","value":1},' +
  '{"identifier":"correlation-data","value":"00FF0A"},{"identifier":"response-topic","value":"rt"}]';

test('properties come back from the JSON of Mosquitto, in their order, byte for byte', () => {
  const bytes = propertiesFromJson(text);
  assert.equal(bytes.toString('hex'), '260002753100027631' + '0101' + '09000300ff0a' + '0800027274');
  assert.equal(propertiesToJson(bytes), text);
  assert.equal(propertiesToJson(Buffer.alloc(0)), null);
});

test('what is no property of a message, of the wrong type or no JSON at all is left out', () => {
  for (const bad of ['', '{}', '[1]', '[{"identifier":"topic-alias","value":1}]', '[{"identifier":"content-type"}]']) {
    assert.equal(propertiesFromJson(bad).length, 0, bad);
  }
  assert.equal(propertiesFromJson('[{"identifier":"correlation-data","value":"xyz"}]').length, 0);
  assert.equal(propertiesFromJson('[{"identifier":"user-property","value":"v"}]').length, 0);
});
