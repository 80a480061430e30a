/** Words any folder may use. Nothing here has heard of MQTT. */
export { plainAddress, sourceOf } from './address.ts';
export { AttemptLimit, type AttemptRules } from './attempt-limit.ts';
export { TokenBucket } from './token-bucket.ts';
export { assert, unreachable } from './assert.ts';
export { type About, type Code, codeOf, type CodeRow, type Folds, isLogCode, type LogCode, rowOf } from './codes.ts';
export { systemClock, type TimeSource } from './clock.ts';
export { escapedBytes } from './escaped-bytes.ts';
export { giveBack } from './give-back.ts';
export { LongList } from './long-list.ts';
export { ownBytes } from './own-bytes.ts';
export { parseQuery, textFor, type ParsedQuery, type Query } from './query.ts';
export { RingQueue } from './ring-queue.ts';
export { Timed, Timer, TimerWheel } from './timer-wheel.ts';
export { codedLines, findingLines, type Finding, type Severity } from './finding.ts';
export { spanText } from './span-text.ts';
export { SpareMemory } from './spare-memory.ts';
export { TextIndex } from './text-index.ts';
export { strftime } from './strftime.ts';
export {
  readScramName,
  saslPrep,
  scramAttributes,
  scramDigestBytes,
  scramH,
  type ScramHash,
  scramHmac,
  scramKeys,
  scramName,
  xor,
} from './scram.ts';
