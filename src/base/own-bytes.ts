/**
 * A copy in memory of its own, for bytes that stay long. Buffer.from takes short ones out of a pool, and a piece of the
 * pool keeps 64 KB alive for as long as anybody has it: after a soak of eight minutes 8 MB for some hundred texts.
 */
export function ownBytes(source: string | Uint8Array): Buffer {
  if (typeof source === 'string') {
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(source));
    bytes.write(source);
    return bytes;
  }
  const bytes = Buffer.allocUnsafeSlow(source.length);
  bytes.set(source);
  return bytes;
}
