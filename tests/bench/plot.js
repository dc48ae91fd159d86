/*
 * Plot: a line chart as SVG, its horizontal axis logarithmic (0 stands at its left end). It follows the
 * reader's light or dark theme, and needs nothing else.
 */
const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 90;
const RIGHT = 150;
const TOP = 48;
const BOTTOM = 56;

/* Told apart without colour as well: each line has a dash and a label of its own. */
const DASHES = ['', '8 4', '2 4', '10 3 2 3'];

const STYLE = `
  text { font: 13px sans-serif; fill: #222; }
  .title { font-size: 16px; font-weight: bold; }
  .axis { stroke: #888; } .grid { stroke: #ddd; }
  .line { fill: none; stroke-width: 2; } .s0 { stroke: #0b62a4; } .s1 { stroke: #b3460f; } .s2 { stroke: #2f7d32; }
  .s3 { stroke: #7b3fa0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd; } .grid { stroke: #444; } .s0 { stroke: #6db3f2; } .s1 { stroke: #f4a261; } .s2 { stroke: #81c784; }
    .s3 { stroke: #c9a0e8; }
  }`;

/** `lines`: [{ name, points: [[x, y], ...] }] over the same xs; `unit` is said at the axes. */
export function plot({ title, xUnit, yUnit, lines }) {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const top = niceTop(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y))));
  const at = { x: horizontal(xs), y: (y) => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM) };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="${LEFT}" y="24">${title}</text>`,
    ...gridOf(top, at, yUnit),
    ...ticksOf(xs, at, xUnit),
    ...lines.flatMap((line, i) => drawn(line, i, at)),
    '</svg>',
    '',
  ].join('\n');
}

/** Equal steps for equal factors; what is 0 has a step of its own at the left. */
function horizontal(xs) {
  const positive = xs.filter((x) => x > 0);
  const [low, high] = [Math.log(positive[0]), Math.log(positive.at(-1))];
  const start = xs[0] === 0 ? 0.15 : 0;
  const width = WIDTH - LEFT - RIGHT;
  return (x) => LEFT + width * (x === 0 ? 0 : start + (1 - start) * ((Math.log(x) - low) / (high - low || 1)));
}

function niceTop(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  return Math.ceil(most / unit) * unit;
}

const short = (x) => (x >= 1e6 ? `${x / 1e6} M` : x.toLocaleString('en'));

function gridOf(top, at, unit) {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const y = at.y(top * share);
    return [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`,
      `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${short(top * share)}</text>`,
    ];
  }).concat(`<text x="${LEFT - 70}" y="${TOP - 16}">${unit}</text>`);
}

function ticksOf(xs, at, unit) {
  const y = HEIGHT - BOTTOM;
  return xs
    .map((x) => `<text x="${at.x(x)}" y="${y + 20}" text-anchor="middle">${short(x)}</text>`)
    .concat(
      `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`,
      `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${y + 42}" text-anchor="middle">${unit}</text>`,
    );
}

function drawn({ name, points }, i, at) {
  const path = points.map(([x, y]) => `${at.x(x).toFixed(1)},${at.y(y).toFixed(1)}`);
  const [endX, endY] = path.at(-1).split(',').map(Number);
  return [
    `<polyline class="line s${i}" stroke-dasharray="${DASHES[i]}" points="${path.join(' ')}"/>`,
    `<text x="${endX + 8}" y="${endY + 4}">${name}</text>`,
  ];
}
