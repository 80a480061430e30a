/**
 * What a reader was given of one stream of numbers, held against what the sender was promised. A number that came late
 * is told with how late and on which connection: a message that was overtaken at once, and one that lay somewhere until
 * the next reconnect, are two different mistakes.
 */

/** A number as it was given to the reader. */
export interface Taking {
  readonly number: number;
  /** Seconds since the stream began. */
  readonly at: number;
  /** The first, second ... of the reader. */
  readonly connection: number;
}

/** Late ones that are told one by one. */
const TOLD_MAX = 3;

/** Empty when all is well. */
export function faultsOf(takings: readonly Taking[], acknowledged: ReadonlySet<number>, qos: 1 | 2): string[] {
  const { once, twice } = firsts(takings);
  const late = overtaken(once);
  const taken = new Set(once.map(({ number }) => number));
  const missing = [...acknowledged].filter(number => !taken.has(number));
  const faults: string[] = [];
  if (missing.length > 0) faults.push(`${missing.length} acknowledged messages lost, the first is ${missing[0]}`);
  if (twice.length > 0 && qos === 2)
    faults.push(`${twice.length} came twice at QoS 2, the first is ${told(twice[0]!)}`);
  if (late.length > 0) faults.push(`${late.length} out of order: ${late.slice(0, TOLD_MAX).join('; ')}`);
  return faults;
}

function firsts(takings: readonly Taking[]): { once: Taking[]; twice: Taking[] } {
  const seen = new Set<number>();
  const [once, twice]: [Taking[], Taking[]] = [[], []];
  for (const taking of takings) {
    (seen.has(taking.number) ? twice : once).push(taking);
    seen.add(taking.number);
  }
  return { once, twice };
}

/** Each with the first one that came before its time. */
function overtaken(takings: readonly Taking[]): string[] {
  const late: string[] = [];
  let highest = -1;
  for (const taking of takings) {
    const before = taking.number < highest ? takings.find(({ number }) => number > taking.number) : undefined;
    if (before !== undefined) late.push(`${told(taking)}, after ${told(before)}`);
    highest = Math.max(highest, taking.number);
  }
  return late;
}

const told = ({ number, at, connection }: Taking): string =>
  `${number} at ${at.toFixed(1)} s on connection ${connection}`;
