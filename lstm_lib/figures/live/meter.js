// The information meter: what a linear probe still reads of the first symbol, RNN beside LSTM.
import { button, decimal, html, slider, status, store, svg } from "./kit.js";
import { sigmoid } from "./arithmetic.js";
import { SYMBOLS, drawLstm, drawRnn, drawSequences } from "./probing.js";
import { probeAnswers, random, runStates } from "./probing.js";

const T = 30;
const SEQUENCES = 360;
const SEEN = 240; // the probe learns on these and is scored on the other 120
const LETTERS = [..."ABCDwxyz"];
const CELLS = ["RNN", "LSTM"];
const START = { symbol: "A", lag: 12, radius: 0.9, orthogonal: 0, bias: 3, closed: 0, seed: 1 };
const RANGES = {
  lag: [0, T - 1],
  radius: [0.1, 1.6],
  orthogonal: [0, 1],
  bias: [-2, 6],
  closed: [0, 1],
  seed: [1, 10000],
};

/** Draw the sequences and the two networks of a state; a seed gives the same ones every time. */
export function drawAll({ seed, radius, orthogonal, bias, closed }) {
  return {
    sequences: drawSequences(random(3 * seed), T, SEQUENCES),
    RNN: drawRnn(random(3 * seed + 1), 32, { radius, orthogonal }),
    LSTM: drawLstm(random(3 * seed + 2), 16, { bias, closed }),
  };
}

/** At each lag: how many of the sequences that begin with symbol k are called n, [lag][k][n]. */
export function meterAnswers(cell, params, sequences) {
  const labels = sequences.map(([first]) => first);
  return runStates(cell, params, sequences).map((states) => {
    const counts = Array.from({ length: SYMBOLS }, () => Array(SYMBOLS).fill(0));
    probeAnswers(states, labels, SEEN).forEach((answer, k) => counts[labels[SEEN + k]][answer]++);
    return counts;
  });
}

function shareRight(counts) {
  const right = counts.reduce((sum, row, k) => sum + row[k], 0);
  return right / (SEQUENCES - SEEN);
}

function check(state) {
  if (!LETTERS.slice(0, SYMBOLS).includes(state.symbol))
    throw new Error(`symbol must be A, B, C or D, got ${state.symbol}`);
  for (const [key, [low, high]] of Object.entries(RANGES)) {
    const whole = key === "radius" || key === "bias" || Number.isInteger(state[key]);
    if (!(whole && state[key] >= low && state[key] <= high))
      throw new Error(`${key} must be from ${low} to ${high}, got ${state[key]}`);
  }
}

const percent = (share) => `${Math.round(100 * share)} %`;

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
    text(6, 12, "accuracy", "start"),
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

function plot(choose) {
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

function answerTable() {
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
    caption.textContent = `Answers at lag ${lag} where the first symbol was ${LETTERS[symbol]}`;
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

function checkbox(label, change) {
  const input = html("input", { type: "checkbox", change: () => change(Number(input.checked)) });
  return { input, element: html("label", { class: "live-check" }, input, label) };
}

/** Every control, which sets one key of the state, and how they show a state. */
function panel(set) {
  const slide = (key, label, step, digits) => {
    const [min, max] = RANGES[key];
    const change = (value) => set({ [key]: value });
    return slider({ label, min, max, step, digits, value: START[key], change });
  };
  const lag = slide("lag", "lag", 1, 0);
  const radius = slide("radius", "spectral radius", 0.05, 2);
  const bias = slide("bias", "forget bias", 0.5, 1);
  const orthogonal = checkbox("orthogonal, with weak inputs", (on) => set({ orthogonal: on }));
  const closed = checkbox("input gates closed to distractors", (on) => set({ closed: on }));
  const gate = html("p", { class: "live-gate" });
  const letters = LETTERS.slice(0, SYMBOLS).map((letter) =>
    button(letter, () => set({ symbol: letter }), { "aria-label": `first symbol ${letter}` }),
  );
  const show = (state) => {
    letters.forEach((one) => one.setAttribute("aria-pressed", one.textContent === state.symbol));
    lag.show(state.lag);
    radius.show(state.orthogonal ? 1 : state.radius);
    radius.element.querySelector("input").disabled = Boolean(state.orthogonal);
    bias.show(state.bias);
    orthogonal.input.checked = Boolean(state.orthogonal);
    closed.input.checked = Boolean(state.closed);
    const f = decimal(sigmoid(state.bias));
    gate.textContent = `forget gates around σ(${decimal(state.bias, 1)}) = ${f}`;
  };
  const group = (name, ...controls) =>
    html("fieldset", {}, html("legend", {}, name), ...controls);
  const networks = html(
    "div",
    { class: "live-networks" },
    group("RNN, 32 units", radius.element, orthogonal.element),
    group("LSTM, 16 units", bias.element, gate, closed.element),
  );
  return { show, letters, lag: lag.element, networks };
}

export default {
  render({ model, el }) {
    let state;
    let looked = false;
    let pause;
    const known = {};
    const set = (change) => state.set(change);
    const picture = plot((lag) => set({ lag }));
    const table = answerTable();
    const controls = panel(set);
    const read = html("p", { class: "live-read" });
    const line = status();
    const another = button("New networks", () => set({ seed: state.get().seed + 1 }));
    el.classList.add("live-meter");
    el.append(
      html("div", { class: "live-buttons" }, "First symbol:", ...controls.letters, another),
      picture.element,
      controls.lag,
      line.element,
      table.element,
      read,
      controls.networks,
    );

    // Only what a change concerns is computed anew.
    const measure = (now) => {
      const { seed, radius, orthogonal, bias, closed } = now;
      const keys = { RNN: `${seed} ${orthogonal || radius}`, LSTM: `${seed} ${bias} ${closed}` };
      const stale = CELLS.filter((cell) => known[cell]?.key !== keys[cell]);
      if (!stale.length) return;
      const drawn = drawAll(now);
      known.sequences = drawn.sequences;
      for (const cell of stale) {
        const answers = meterAnswers(cell, drawn[cell], drawn.sequences);
        known[cell] = { key: keys[cell], answers };
      }
    };
    const draw = (now) => {
      check(now);
      controls.show(now);
      if (!looked) return;
      measure(now);
      const answers = { RNN: known.RNN.answers, LSTM: known.LSTM.answers };
      const symbol = LETTERS.indexOf(now.symbol);
      const example = known.sequences.slice(SEEN).find(([first]) => first === symbol);
      const shown = example.map((input, k) => (k <= now.lag ? LETTERS[input] : "·"));
      read.replaceChildren("One of them, read so far: ", html("code", {}, shown.join("")));
      picture.show(answers, now.lag);
      table.show(answers, symbol, now.lag);
      const [rnn, lstm] = CELLS.map((cell) => percent(shareRight(answers[cell][now.lag])));
      // Not at every step of a slider: a screen reader would read them all.
      clearTimeout(pause);
      pause = setTimeout(
        () => line.say(`Right at lag ${now.lag}: RNN ${rnn}, LSTM ${lstm}; chance is 25 %.`),
        300,
      );
    };
    state = store({ model, el }, START, draw);
    // The networks take a phone a second: not before somebody is about to look.
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watch.disconnect();
        looked = true;
        draw(state.get());
      },
      { rootMargin: "400px" },
    );
    watch.observe(el);
  },
};
