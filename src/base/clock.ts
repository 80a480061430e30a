export interface TimeSource {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Unix time in milliseconds. */
  wall(): number;
}

export const systemClock: TimeSource = {
  now: () => performance.now(),
  wall: () => Date.now(),
};
