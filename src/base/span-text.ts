const spans: readonly [unit: string, seconds: number][] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** The two largest units: `3 d 4 h`, `12 min 5 s`. */
export function spanText(seconds: number): string {
  const at = spans.findIndex(([, size]) => seconds >= size);
  if (at < 0) return '0 s';
  const [[unit, size], next] = [spans[at]!, spans[at + 1]];
  const first = `${Math.floor(seconds / size)} ${unit}`;
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[1]);
  return rest === 0 ? first : `${first} ${rest} ${next![0]}`;
}
