/** The store alone, in a process of its own that is killed, or on a disk that fills up. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StoredDelivery } from '../../src/broker/ports.ts';
import { openDurableStore } from '../../src/storage/mod.ts';
import { needs, temporaryDirectory, until } from '../harness/mod.ts';

const program = fileURLToPath(new URL('./store-process.ts', import.meta.url));

/** Every line that a process prints, as it comes. */
function linesOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  let open = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (open + chunk).split('\n');
    open = parts.pop()!;
    lines.push(...parts);
  });
  return lines;
}

const safeNumbers = (lines: readonly string[]): number[] =>
  lines.filter(line => line.startsWith('safe ')).map(line => Number(line.slice(5)));

/** Numbers of the messages that a new store finds in the file, in their order. */
async function numbersIn(file: string): Promise<number[]> {
  const { store, state, remarks } = await openDurableStore({
    file,
    durability: { kind: 'commit' },
    propertiesToJson: () => null,
    propertiesFromJson: () => Buffer.alloc(0),
    now: () => Date.now(),
    onTrouble: lines => assert.fail(lines.join('\n')),
    onHealed: () => {},
  });
  const numbers: number[] = [];
  const take = (given: StoredDelivery): StoredDelivery => {
    numbers.push(Number(given.message.topicName.slice(2)));
    return given;
  };
  for (let end = state.sessions.length === 0; !end;) {
    end = await new Promise(done => store.fetchPage('reader', { messages: 100, bytes: 1_000_000, take, done }));
  }
  await store.close();
  assert.deepEqual(remarks, []);
  return numbers;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test('a store killed while it writes has everything that it called safe, and no gap in what it has beyond', async () => {
  const directory = temporaryDirectory();
  try {
    for (let round = 0; round < 4; round++) {
      const file = `${directory.path}/${round}.sqlite3`;
      const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'ignore'] });
      const lines = linesOf(child);
      const enough = 1 + Math.floor(Math.random() * 400);
      await until(`${enough} messages to be safe`, () => safeNumbers(lines).length >= enough);
      child.kill('SIGKILL');
      await once(child, 'close');
      const safe = safeNumbers(lines);
      assert.deepEqual(safe, upTo(safe.length), 'its words come in order');
      const found = await numbersIn(file);
      assert.ok(found.length >= safe.length, `${safe.length} safe, ${found.length} found`);
      assert.deepEqual(found, upTo(found.length));
    }
  } finally {
    directory.remove();
  }
});

/**
 * The mount belongs to the process: it is gone with it. What did not fit into the file stays in the log beside it.
 */
const onSmallDisk = `mount -t tmpfs -o size=3m tmpfs "$1" && head -c 1000000 /dev/zero > "$1/ballast" &&
  "$2" "$3" "$1/s.sqlite3" "$1/ballast" && cp "$1"/s.sqlite3* "$4"`;

test(
  'a full disk stops the word and nothing else; with room again everything becomes safe by itself',
  needs('root', 'unshare', 'mount'),
  async () => {
    const directory = temporaryDirectory();
    const kept = temporaryDirectory();
    try {
      const args = ['-m', 'sh', '-c', onSmallDisk, 'sh', directory.path, process.execPath, program, kept.path];
      const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = linesOf(child);
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 0, lines.join('\n'));
      const at = (start: string): number => lines.findIndex(line => line.startsWith(start));
      assert.match(lines[at('trouble')]!, /changes cannot be written: database or disk is full.*Make room on its disk/);
      const count = Number(lines[at('queued')]!.slice('queued '.length));
      const duringTrouble = lines.slice(at('trouble'), at('healed')).filter(line => line.startsWith('safe '));
      assert.deepEqual(duringTrouble, []);
      assert.ok(at('healed') > at('trouble') && at('closed') > at('healed'));
      assert.deepEqual(safeNumbers(lines), upTo(count));
      assert.deepEqual(await numbersIn(`${kept.path}/s.sqlite3`), upTo(count));
    } finally {
      directory.remove();
      kept.remove();
    }
  },
);
