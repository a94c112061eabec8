// What the figures of trained nets share: gates and states along a sequence, and the net's guesses.
import { decimal, html, svg } from "./kit.js";

const PANELS = [
  { names: ["i", "f", "o"], low: 0, signed: false },
  { names: ["g", "h"], low: -1, signed: true },
  { names: ["c"], low: -1, signed: true }, // on an axis of its own: it grows, the others cannot
];
const HIGH = 64;
const BETWEEN = 34;

/** Make a list to choose from: options is a list of [value, words]. */
export function choice({ label, options, change }) {
  const words = options.map(([value, text]) => html("option", { value }, text));
  const list = html("select", { change: () => change(list.value) }, ...words);
  const name = html("span", { class: "live-name" }, label);
  const element = html("label", { class: "live-choice" }, name, list);
  return { element, show: (value) => (list.value = value) };
}

/** A space and the end of a line as something to see. */
export function visible(character) {
  return { " ": "␣", "\n": "↵" }[character] ?? character;
}

/** The steps that are shown, `span` of T at most, around step t = 1 … T: [first, last]. */
export function shownSteps(t, T, span) {
  const first = Math.max(1, Math.min(t - Math.floor(span / 2), T - span + 1));
  return [first, Math.min(first + span - 1, T)];
}

function key(name, value, x, y) {
  return svg(
    "g",
    {},
    svg("line", { x1: x, x2: x + 26, y1: y - 4, y2: y - 4, class: `live-line-${name}` }),
    svg("text", { x: x + 31, y }, `${name} ${decimal(value)}`),
  );
}

function panel({ names, low, signed }, trace, [first, last], t, place, top) {
  const values = names.flatMap((name) => trace[name].slice(first - 1, last));
  const high = signed ? Math.max(1, ...values.map(Math.abs)) : 1;
  const bottom = low * high;
  const height = (value) => top + HIGH * (1 - (value - bottom) / (high - bottom));
  const lines = names.map((name) => {
    const points = trace[name].slice(first - 1, last).map((value, k) => {
      return `${place(first + k).toFixed(1)},${height(value).toFixed(1)}`;
    });
    return svg("polyline", { points: points.join(" "), class: `live-line-${name}` });
  });
  const levels = signed ? [bottom, 0, high] : [0, high];
  const ticks = levels.map((value) => {
    const text = decimal(value, high > 9.5 ? 0 : 1);
    return svg("text", { x: 26, y: height(value) + 4, "text-anchor": "end" }, text);
  });
  const rules = levels.map((value) => {
    const [x2, y] = [place(last), height(value)];
    return svg("line", { x1: 30, x2, y1: y, y2: y, class: "live-line-rule" });
  });
  const keys = names.map((name, n) => key(name, trace[name][t - 1], 34 + 92 * n, top - 12));
  return svg("g", {}, ...rules, ...ticks, ...lines, ...keys);
}

/**
 * Draw one unit along the steps around t: its gates, g and h, and c, and below rows of letters.
 *
 * trace: i, f, g, o, c, h, each a list of T numbers. rows: what stands below, {name, letters},
 * T letters each. Returns the viewBox, the parts, and the step at a share of the width.
 */
export function drawTrace(trace, rows, t, wide) {
  const T = trace.c.length;
  const width = wide ? 680 : 340;
  const [first, last] = shownSteps(t, T, wide ? 48 : 22);
  const each = (width - 44) / Math.max(last - first + 1, 20);
  const place = (step) => 36 + each * (step - first + 0.5);
  const tops = PANELS.map((_, n) => 24 + n * (HIGH + BETWEEN));
  const under = tops.at(-1) + HIGH + 20;
  const letters = rows.flatMap(({ name, letters }, n) => {
    const y = under + 16 * n;
    const cells = letters.slice(first - 1, last).map((letter, k) => {
      const now = first + k === t ? "live-letter live-letter-now" : "live-letter";
      return svg("text", { x: place(first + k), y, class: now }, visible(letter));
    });
    return [svg("text", { x: 26, y, "text-anchor": "end" }, name), ...cells];
  });
  const bottom = under + 16 * rows.length;
  const here = { x: place(t) - each / 2, width: each, y: tops[0], height: bottom - tops[0] - 10 };
  const panels = PANELS.map((one, n) => panel(one, trace, [first, last], t, place, tops[n]));
  return {
    viewBox: `0 0 ${width} ${bottom}`,
    parts: [svg("rect", { ...here, class: "live-letter-here" }), ...panels, ...letters],
    step: (share) => {
      const step = first + Math.floor((share * width - 36) / each);
      return Math.max(first, Math.min(step, last));
    },
  };
}

/** Call `choose` with the share of the picture's width that the pointer is at. */
export function follow(picture, choose) {
  const look = (event) => {
    const { left, width } = picture.getBoundingClientRect();
    choose((event.clientX - left) / width);
  };
  picture.addEventListener("pointermove", look);
  picture.addEventListener("pointerdown", look);
}

/** Bars of what the net expects: `show` takes a list of [letter, probability]. */
export function guesses(title) {
  const list = html("div", { class: "live-guesses" });
  const show = (pairs) => {
    const rows = pairs.map(([letter, p]) => {
      const bar = html("meter", { min: 0, max: 1, value: p, "aria-label": visible(letter) });
      return html("p", {}, html("b", {}, visible(letter)), bar, decimal(p));
    });
    list.replaceChildren(html("p", {}, title), ...rows);
  };
  return { element: list, show };
}
