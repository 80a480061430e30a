/** Rows of text under headings, as wide as they need to be. */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0),
  );
  return all.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The same without headings. */
export function plainTable(rows: readonly (readonly string[])[]): string[] {
  return textTable(rows[0]?.map(() => '') ?? [], rows).slice(1);
}
