/** Throws when an invariant of ours does not hold. Never used on input: bad input is an expected outcome. */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Error(`broken invariant: ${invariant}`);
}

/** For the branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}
