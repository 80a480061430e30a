/** A QR code in a terminal, two modules above each other in one character. */
import { qrCode } from './qr.ts';

/** Modules of white around the code (ISO/IEC 18004, 6.3.8). */
const quietZone = 4;

/** Which of the two is light: upper, lower. */
const characters: Record<string, string> = {
  'true,true': '█',
  'true,false': '▀',
  'false,true': '▄',
  'false,false': ' ',
};

/** `colours`: black on white whatever the terminal's own; without, right on a dark background. */
export function qrLines(text: string, colours: boolean): string[] {
  const modules = qrCode(text);
  const lines: string[] = [];
  for (let row = -quietZone; row < modules.length + quietZone; row += 2) {
    let line = '';
    for (let column = -quietZone; column < modules.length + quietZone; column++) {
      const light = (at: number): boolean => modules[at]?.[column] !== true;
      line += characters[`${light(row)},${light(row + 1)}`] ?? ' ';
    }
    lines.push(colours ? `\u001b[97;40m${line}\u001b[0m` : line);
  }
  return lines;
}
