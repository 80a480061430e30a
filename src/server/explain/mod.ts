/** Why somebody may or may not: what `zancudo explain` asks, of a broker that runs or of files alone. */
export { changesByRules, planOf } from './changes.ts';
export { accessFromFiles } from './from-files.ts';
export { explainedActions, explainSomeone, type Someone, someoneFrom } from './report.ts';
export { accessChanges, explainLive } from './live.ts';
