/**
 * Which names a pattern means. With `+` or `#` as a level it is an MQTT filter; otherwise `*` stands for any characters
 * and `?` for one. No backtracking beyond the last `*`, so that no pattern costs more than its length times the name's.
 */
export function nameMatcher(pattern: string | null): (name: string) => boolean {
  if (pattern === null) return () => true;
  const levels = pattern.split('/');
  if (levels.some(level => level === '+' || level === '#')) return name => matchesLevels(levels, name.split('/'));
  if (!/[*?]/.test(pattern)) return name => name === pattern;
  return name => matchesGlob(pattern, name);
}

/** Topics of the broker's own are meant only where the pattern begins like them. */
export function topicMatcher(pattern: string | null): (topic: string) => boolean {
  const matches = nameMatcher(pattern);
  if (pattern?.startsWith('$') === true) return matches;
  return topic => !topic.startsWith('$') && matches(topic);
}

function matchesLevels(filter: readonly string[], name: readonly string[]): boolean {
  for (const [i, level] of filter.entries()) {
    if (level === '#') return true;
    if (i >= name.length || (level !== '+' && level !== name[i])) return false;
    // `a/#` means `a` too.
    if (i === name.length - 1 && i === filter.length - 2 && filter[i + 1] === '#') return true;
  }
  return filter.length === name.length;
}

function matchesGlob(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') [star, resume, p] = [p, n, p + 1];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) [p, n] = [p + 1, n + 1];
    else if (star >= 0) [p, n, resume] = [star + 1, resume + 1, resume + 1];
    else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
