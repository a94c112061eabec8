// The information meter: what a linear probe still reads of the first symbol, RNN beside LSTM.
import { button, decimal, html, slider, status, store } from "./kit.js";
import { sigmoid } from "./arithmetic.js";
import { CELLS, LETTERS, T, answerTable, percent, plot, shareRight } from "./meter_drawing.js";
import { SYMBOLS, drawLstm, drawRnn, drawSequences } from "./probing.js";
import { probeAnswers, random, runStates } from "./probing.js";

const SEQUENCES = 360;
const SEEN = 240; // the probe learns on these and is scored on the other 120
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

function check(state) {
  if (!LETTERS.slice(0, SYMBOLS).includes(state.symbol))
    throw new Error(`symbol must be A, B, C or D, got ${state.symbol}`);
  for (const [key, [low, high]] of Object.entries(RANGES)) {
    const whole = key === "radius" || key === "bias" || Number.isInteger(state[key]);
    if (!(whole && state[key] >= low && state[key] <= high))
      throw new Error(`${key} must be from ${low} to ${high}, got ${state[key]}`);
  }
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

/** What a network and its answers depend on, as a text for each cell. */
function keysOf({ seed, radius, orthogonal, bias, closed }) {
  return { RNN: `${seed} ${orthogonal || radius}`, LSTM: `${seed} ${bias} ${closed}` };
}

/** Remember what was computed: a change computes anew only what it concerns, the stale cells. */
function measurer() {
  const known = {};
  const staleOf = (keys) => CELLS.filter((cell) => known[cell]?.key !== keys[cell]);
  const measure = (now) => {
    const keys = keysOf(now);
    const stale = staleOf(keys);
    if (stale.length) {
      const drawn = drawAll(now);
      known.sequences = drawn.sequences;
      for (const cell of stale) {
        const answers = meterAnswers(cell, drawn[cell], drawn.sequences);
        known[cell] = { key: keys[cell], answers };
      }
    }
    const answers = Object.fromEntries(CELLS.map((cell) => [cell, known[cell].answers]));
    return { answers, sequences: known.sequences };
  };
  return { measure, isStale: (now) => staleOf(keysOf(now)).length > 0 };
}

/** Call once when an element is about to be seen. */
function whenLookedAt(el, call) {
  const look = (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    call();
  };
  const watch = new IntersectionObserver(look, { rootMargin: "400px" });
  watch.observe(el);
}

export default {
  render({ model, el }) {
    let state, pause, rest;
    let looked = false;
    const set = (change) => state.set(change);
    const { measure, isStale } = measurer();
    const picture = plot((lag) => set({ lag }));
    const table = answerTable();
    const { letters, lag, networks, show } = panel(set);
    const read = html("p", { class: "live-read" });
    const line = status();
    const another = button("New networks", () => set({ seed: state.get().seed + 1 }));
    const again = button("Start again", () => set(START));
    const buttons = ["First symbol:", ...letters, another, again];
    const first = html("div", { class: "live-buttons" }, ...buttons);
    el.classList.add("live-meter");
    el.append(first, picture.element, lag, line.element, table.element, read, networks);

    const paint = (now) => {
      el.setAttribute("aria-busy", false);
      const { answers, sequences } = measure(now);
      const symbol = LETTERS.indexOf(now.symbol);
      const example = sequences.slice(SEEN).find(([input]) => input === symbol);
      const shown = example.map((input, k) => (k <= now.lag ? LETTERS[input] : "·"));
      read.replaceChildren("One of them, read so far: ", html("code", {}, shown.join("")));
      picture.show(answers, now.lag);
      table.show(answers, symbol, now.lag);
      const [rnn, lstm] = CELLS.map((cell) => percent(shareRight(answers[cell][now.lag])));
      const shares = `RNN ${rnn}, LSTM ${lstm}; chance is 25 %`;
      const words = `Right at lag ${now.lag} over all symbols: ${shares}. Draw ${now.seed}.`;
      // Not at every step of a slider: a screen reader would read them all.
      clearTimeout(pause);
      pause = setTimeout(() => line.say(words), 300);
    };
    const draw = (now) => {
      check(now);
      show(now);
      if (!looked) return;
      clearTimeout(rest);
      if (!isStale(now)) return paint(now);
      // A phone computes for half a second, in which its sliders stand still: once they rest.
      el.setAttribute("aria-busy", true);
      clearTimeout(pause);
      rest = setTimeout(() => paint(now), 150);
    };
    state = store({ model, el }, START, draw);
    whenLookedAt(el, () => {
      looked = true;
      draw(state.get());
    });
  },
};
