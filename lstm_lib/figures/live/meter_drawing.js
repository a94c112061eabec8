// How the information meter looks: a plot of the shares read by lag, and a table of answers.
import { decimal, html, svg } from "./kit.js";
import { SYMBOLS } from "./probing.js";

export const T = 30;
export const LETTERS = [..."ABCDwxyz"];
export const CELLS = ["RNN", "LSTM"];

/** The share of right answers in a table of counts. */
export function shareRight(counts) {
  const right = counts.reduce((sum, row, k) => sum + row[k], 0);
  return right / counts.flat().reduce((sum, count) => sum + count);
}

export const percent = (share) => `${Math.round(100 * share)} %`;

// The plot, in pixels of its own.
const LEFT = 36;
const RIGHT = 300;
const TOP = 24;
const BOTTOM = 172;
const across = (lag) => LEFT + ((RIGHT - LEFT) * lag) / (T - 1);
const up = (share) => BOTTOM - (BOTTOM - TOP) * share;

/** Move heights apart by a line of text, in their order. */
function apart(heights) {
  const order = Object.entries(heights).sort(([, a], [, b]) => b - a);
  let below = Infinity;
  return order.map(([name, y]) => [name, (below = Math.min(y, below - 13))]);
}

function axes() {
  const text = (x, y, words, anchor = "middle") =>
    svg("text", { x, y, "text-anchor": anchor }, words);
  const chance = up(1 / SYMBOLS);
  return [
    svg("path", { d: `M${LEFT} ${up(1)}V${BOTTOM}H${RIGHT}`, class: "live-axis" }),
    svg("line", { x1: LEFT, x2: RIGHT, y1: chance, y2: chance, class: "live-chance" }),
    ...[0, 0.5, 1].map((share) => text(LEFT - 5, up(share) + 4, decimal(share, 1), "end")),
    ...[0, 10, 20, 29].map((lag) => text(across(lag), BOTTOM + 15, String(lag))),
    text((LEFT + RIGHT) / 2, BOTTOM + 31, "lag (steps since the first symbol)"),
    text(6, 12, "accuracy, all symbols", "start"),
    svg("text", { x: RIGHT, y: 12, "text-anchor": "end", class: "live-wait" }, "computing …"),
  ];
}

function curves(answers, lag) {
  const x = across(lag);
  const ends = { chance: up(1 / SYMBOLS) };
  const lines = CELLS.map((cell) => {
    const shares = answers[cell].map(shareRight);
    ends[cell] = up(shares.at(-1));
    const points = shares.map((share, k) => `${across(k)},${up(share)}`).join(" ");
    return svg(
      "g",
      { class: `live-of-${cell}` },
      svg("polyline", { points }),
      svg("circle", { cx: x, cy: up(shares[lag]), r: 5 }),
    );
  });
  const names = apart(ends).map(([name, y]) => svg("text", { x: RIGHT + 6, y: y + 4 }, name));
  const here = svg("line", { x1: x, x2: x, y1: up(1), y2: BOTTOM, class: "live-here" });
  return [here, ...lines, ...names];
}

/** The plot of both curves by lag; a press on it calls `choose` with the lag there. */
export function plot(choose) {
  const title = svg("title", {}, "How often the first symbol is read from the state, by lag");
  const body = svg("g");
  const look = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const { left, width } = element.getBoundingClientRect();
    const x = (360 * (event.clientX - left)) / width;
    const lag = Math.round(((x - LEFT) / (RIGHT - LEFT)) * (T - 1));
    choose(Math.min(Math.max(lag, 0), T - 1));
  };
  const listen = { pointerdown: look, pointermove: look };
  const frame = { viewBox: "0 0 360 208", role: "img" };
  const element = svg("svg", { ...frame, ...listen }, title, ...axes(), body);
  return { element, show: (answers, lag) => body.replaceChildren(...curves(answers, lag)) };
}

/** The table of answers where the first symbol was a given one, at a lag. */
export function answerTable() {
  const heads = LETTERS.slice(0, SYMBOLS).map((letter) => html("th", { scope: "col" }, letter));
  const cells = CELLS.map(() => heads.map(() => html("td")));
  const name = (cell) => html("th", { scope: "row" }, cell);
  const rows = CELLS.map((cell, n) =>
    html("tr", { class: `live-of-${cell}` }, name(cell), ...cells[n]),
  );
  const caption = html("caption");
  const head = html("thead", {}, html("tr", {}, html("td", {}, "answer"), ...heads));
  const element = html("table", {}, caption, head, html("tbody", {}, ...rows));
  const show = (answers, symbol, lag) => {
    caption.textContent = `Answers at lag ${lag}, only where the first symbol was ${LETTERS[symbol]}`;
    heads.forEach((head, k) => head.classList.toggle("live-asked", k === symbol));
    CELLS.forEach((cell, n) => {
      const counts = answers[cell][lag][symbol];
      const all = counts.reduce((sum, count) => sum + count);
      counts.forEach((count, k) => {
        cells[n][k].textContent = percent(count / all);
        cells[n][k].style.setProperty("--share", `${(100 * count) / all}%`);
      });
    });
  };
  return { element, show };
}
