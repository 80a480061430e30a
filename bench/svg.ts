/** Plots as SVG: lines over one quantity, and bars beside a mark. Plain text, so that a change shows in a diff. */
export interface Line {
  name: string;
  points: readonly { x: number; y: number }[];
}

const width = 640;
const height = 360;
const left = 64;
const right = 120;
const top = 40;
const bottom = 56;
const colours: Record<string, string> = { zancudo: '#0b6e4f', mosquitto: '#3c5a99', aedes: '#b5651d' };
const font = 'font-family="sans-serif" font-size="12"';

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const at = (value: number): string => value.toFixed(1);

/** Both axes by powers of ten: what matters is where a line bends. */
export function linePlot(title: string, xLabel: string, yLabel: string, lines: readonly Line[]): string {
  const points = lines.flatMap(line => line.points);
  // Nothing is not on a scale of powers: it stands at the left edge.
  const xs = scale(
    points.map(point => Math.max(1, point.x)),
    left,
    width - right,
  );
  const ys = scale(
    points.map(point => point.y),
    height - bottom,
    top,
  );
  const drawn = lines.map(line => drawLine(line, x => xs.place(Math.max(1, x)), ys.place));
  return svg(
    height,
    `<text x="${left}" y="22" ${font} font-weight="bold">${escaped(title)}</text>
${ys.ticks.map(tick => horizontal(tick, ys.place(tick))).join('\n')}
${xs.ticks.map(tick => vertical(tick, xs.place(tick))).join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 12}" ${font} text-anchor="middle">${escaped(xLabel)}</text>
<text transform="translate(16 ${(top + height - bottom) / 2}) rotate(-90)" ${font} text-anchor="middle">${escaped(yLabel)}</text>
${drawn.join('\n')}`,
  );
}

function drawLine({ name, points }: Line, x: (value: number) => number, y: (value: number) => number): string {
  const colour = colours[name] ?? '#555';
  const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${at(x(point.x))} ${at(y(point.y))}`).join(' ');
  const dots = points.map(point => `<circle cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3" fill="${colour}"/>`);
  const last = points.at(-1);
  const label = last === undefined ? '' : `<text x="${at(x(last.x) + 8)}" y="${at(y(last.y) + 4)}" ${font} fill="${colour}">${escaped(name)}</text>`; // prettier-ignore
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>\n${dots.join('')}${label}`;
}

function scale(
  values: readonly number[],
  from: number,
  to: number,
): { place: (value: number) => number; ticks: number[] } {
  const known = values.filter(value => value > 0);
  const low = Math.floor(Math.log10(Math.min(...known, 1e9)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...known, 1e-9)) - 1e-9));
  const place = (value: number): number =>
    from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from);
  return { place, ticks: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)) };
}

function horizontal(tick: number, y: number): string {
  return `<line x1="${left}" x2="${width - right}" y1="${at(y)}" y2="${at(y)}" stroke="#ddd"/><text x="${left - 6}" y="${at(y + 4)}" ${font} text-anchor="end">${tickText(tick)}</text>`;
}

function vertical(tick: number, x: number): string {
  return `<line x1="${at(x)}" x2="${at(x)}" y1="${top}" y2="${height - bottom}" stroke="#eee"/><text x="${at(x)}" y="${height - bottom + 18}" ${font} text-anchor="middle">${tickText(tick)}</text>`;
}

export function tickText(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(1)));
}

export interface Bar {
  label: string;
  value: number;
  /** Where it should end. */
  mark: number | null;
}

const rowHeight = 26;
const labelWidth = 300;

/** Bars from zero; the line at 1 is what they are compared with. */
export function barPlot(title: string, bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(bar => bar.value)) * 1.1;
  const x = (value: number): number => labelWidth + (value / most) * (width - labelWidth - 60);
  const tall = top + bars.length * rowHeight + 16;
  const rows = bars.map((bar, index) => {
    const y = top + index * rowHeight;
    const mark = bar.mark === null ? '' : `<line x1="${at(x(bar.mark))}" x2="${at(x(bar.mark))}" y1="${y}" y2="${y + 18}" stroke="#c0392b" stroke-width="2"/>`; // prettier-ignore
    return `<text x="${labelWidth - 8}" y="${y + 13}" ${font} text-anchor="end">${escaped(bar.label)}</text><rect x="${labelWidth}" y="${y}" width="${at(x(bar.value) - labelWidth)}" height="18" fill="${colours['zancudo']}"/>${mark}<text x="${at(x(bar.value) + 6)}" y="${y + 13}" ${font}>${bar.value.toFixed(2)}</text>`;
  });
  const one = `<line x1="${at(x(1))}" x2="${at(x(1))}" y1="${top - 8}" y2="${tall - 10}" stroke="#3c5a99" stroke-dasharray="4 3"/>`;
  return svg(
    tall,
    `<text x="8" y="22" ${font} font-weight="bold">${escaped(title)}</text>\n${one}\n${rows.join('\n')}`,
  );
}

function svg(tall: number, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${tall}" width="${width}" height="${tall}">
<rect width="100%" height="100%" fill="white"/>
${body}
</svg>
`;
}
