/**
 * Random clients, random disconnections, simulated time: no QoS 1 or 2 message is lost, none is duplicated beyond what
 * its QoS allows, and the messages of one client to one topic keep their order. The same with a broker that falls at
 * random moments and finds in its store what was committed.
 *
 * Every run has a number; ZANCUDO_SIMULATION_RUNS asks for more of them and ZANCUDO_SIMULATION_FIRST for other ones.
 */
import { test } from 'node:test';
import { CrashStore } from './crash-store.ts';
import { check, newCast, settle, step } from './histories.ts';

const RUNS = Number(process.env['ZANCUDO_SIMULATION_RUNS'] ?? 150);
const FIRST = Number(process.env['ZANCUDO_SIMULATION_FIRST'] ?? 1);
const STEPS = 600;

function runInPeace(seed: number): void {
  const cast = newCast(seed);
  settle(cast);
  for (let n = 0; n < STEPS; n += 1) step(cast);
  settle(cast);
  check(cast);
}

function runWithCrashes(seed: number): void {
  const store = new CrashStore();
  const cast = newCast(seed, { store });
  const commit = (): void => store.commit();
  const { world, random } = cast;
  settle(cast, commit);
  for (let n = 0; n < STEPS; n += 1) {
    step(cast);
    const dice = random.below(100);
    if (dice < 20) commit();
    else if (dice < 21) world.fall(store.crash(), (given, ours) => store.adopt(given, ours));
  }
  settle(cast, commit);
  check(cast, true);
}

function everyHistory(run: (seed: number) => void): void {
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`history ${seed} (ZANCUDO_SIMULATION_FIRST=${seed} ZANCUDO_SIMULATION_RUNS=1)`, { cause: error });
    }
  }
}

test(`${RUNS} random histories lose nothing, duplicate nothing beyond its QoS and reorder nothing`, () => {
  everyHistory(runInPeace);
});

test(`${RUNS} random histories of a broker that falls again and again lose and double nothing that was promised`, () => {
  everyHistory(runWithCrashes);
});
