/** SQLite's errors by name: its primary result codes, https://www.sqlite.org/rescode.html. */
export const sqliteErrors = {
  logic: 1,
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

export interface SqliteFault {
  /** 0 when it is not an error of SQLite. */
  primary: number;
  text: string;
}

export function sqliteFault(error: unknown): SqliteFault {
  if (!(error instanceof Error)) return { primary: 0, text: String(error) };
  const code = 'errcode' in error ? Number(error.errcode) : 0;
  return { primary: code & 0xff, text: error.message };
}

export function isDamage(error: unknown): boolean {
  const { primary } = sqliteFault(error);
  return primary === sqliteErrors.corrupt || primary === sqliteErrors.notADatabase;
}
