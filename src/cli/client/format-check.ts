/** Whether a `-F` format can be printed; the pieces are read by the same function that prints them. */
import { compileFormat, FormatFault } from './format.ts';
import { invalid, type UsageError } from './draft.ts';

export function checkFormat(format: string): UsageError | null {
  try {
    compileFormat(format);
    return null;
  } catch (error) {
    if (!(error instanceof FormatFault)) throw error;
    return invalid(error.message, false, error.hint);
  }
}
