/**
 * Every normative statement of MQTT 5.0 and 3.1.1, by its number.
 *
 * A row is the number and what it says in our words. A third entry is the reason why no test carries the number: the
 * statement binds the client alone, or cannot be seen from outside. clauses.test.ts checks that every row has one of
 * the two, and that no test carries a number that is not here.
 */
import { mqtt311 } from './clauses-311.ts';
import { mqtt5 } from './clauses-5.ts';

export type Clause = readonly [id: string, says: string, whyUntested?: string];

export const clauses: Record<'mqtt5' | 'mqtt311', readonly Clause[]> = { mqtt5, mqtt311 };
