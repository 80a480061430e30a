/**
 * A histogram of times, log-linear: 128 steps to every doubling, so a quantile is read with an error below 1 %, in
 * memory that does not grow with the number of samples.
 *
 *   0..127 µs/10   one bucket each          octave k   128 buckets, each 2^k wide
 *
 * Times go in as whole tenths of a microsecond, quantiles come out in microseconds.
 */
const stepsPerOctave = 128;
/** Tenths of a microsecond fit 32 bits: 429 s. */
const octaves = 32 - 7;

export class Histogram {
  count = 0;
  largest = 0;
  private readonly buckets = new Uint32Array((octaves + 1) * stepsPerOctave);

  /** Below zero counts as zero: two clocks readings may cross by a tick. */
  add(tenths: number): void {
    const value = tenths <= 0 ? 0 : tenths >= 0xffff_ffff ? 0xffff_ffff : tenths >>> 0;
    this.buckets[bucketOf(value)]!++;
    this.count++;
    if (value > this.largest) this.largest = value;
  }

  /** In microseconds; 0 when nothing was added. */
  quantile(q: number): number {
    const wanted = Math.floor(q * this.count);
    if (wanted >= this.count) return this.largest / 10;
    let seen = 0;
    for (let at = 0; at < this.buckets.length; at++) {
      seen += this.buckets[at]!;
      if (seen > wanted) return Math.min(middleOf(at), this.largest) / 10;
    }
    return this.largest / 10;
  }

  /** Counts between the edges 1, 2, 5, 10, 20, 50, ... microseconds, from the first that is not empty to the last. */
  coarse(): { fromMicros: number; count: number }[] {
    const rows: { fromMicros: number; count: number }[] = [];
    for (let at = 0; at < this.buckets.length; at++) {
      const count = this.buckets[at]!;
      if (count === 0) continue;
      const fromMicros = edgeBelow(middleOf(at) / 10);
      const last = rows.at(-1);
      if (last?.fromMicros === fromMicros) last.count += count;
      else rows.push({ fromMicros, count });
    }
    return rows;
  }
}

function bucketOf(value: number): number {
  if (value < stepsPerOctave) return value;
  const octave = 31 - Math.clz32(value) - 7;
  return (octave + 1) * stepsPerOctave + ((value >>> octave) - stepsPerOctave);
}

function middleOf(bucket: number): number {
  if (bucket < stepsPerOctave) return bucket;
  const width = 2 ** (Math.floor(bucket / stepsPerOctave) - 1);
  return (stepsPerOctave + (bucket % stepsPerOctave)) * width + width / 2;
}

function edgeBelow(micros: number): number {
  if (micros < 1) return 0;
  const decade = 10 ** Math.floor(Math.log10(micros));
  const digit = micros / decade;
  return decade * (digit < 2 ? 1 : digit < 5 ? 2 : 5);
}
