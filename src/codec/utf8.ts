/**
 * MQTT's UTF-8 (MQTT 5, 1.5.4): well formed, no U+0000, no surrogates [MQTT-1.5.4-1] [MQTT-1.5.4-2]; and, as Mosquitto
 * has it, no control characters and no non-characters either. U+FEFF is an ordinary character. [MQTT-1.5.4-3]
 */
export function isMqttUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const b = bytes[i]!;
    if (b < 0x80) {
      if (b < 0x20 || b === 0x7f) return false;
      i++;
      continue;
    }
    const length = sequenceLength(b);
    if (length === 0 || i + length > end) return false;
    let point = b & (0x7f >> length);
    for (let k = 1; k < length; k++) {
      const c = bytes[i + k]!;
      if ((c & 0xc0) !== 0x80) return false;
      point = (point << 6) | (c & 0x3f);
    }
    if (!isAllowed(point, length)) return false;
    i += length;
  }
  return true;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

function isAllowed(point: number, length: number): boolean {
  const overlong = (length === 3 && point < 0x800) || (length === 4 && point < 0x10000);
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  const control = point <= 0x9f;
  const nonCharacter = (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
  return !overlong && !surrogate && !control && !nonCharacter && point <= 0x10ffff;
}

/** Decodes bytes that isMqttUtf8 has accepted. */
export function utf8Text(bytes: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return bytes.toString('utf8', start, end);
  return bytes.toString('latin1', start, end);
}
