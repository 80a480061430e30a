/** What stands in the way of an enrolment, with what to do; shown as it is. */
export class EnrolFault extends Error {
  readonly remedy: readonly string[];

  constructor(message: string, ...remedy: string[]) {
    super(message);
    this.name = 'EnrolFault';
    this.remedy = remedy;
  }
}
