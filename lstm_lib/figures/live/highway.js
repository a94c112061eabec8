// How much of the gradient at the last step comes back to each earlier one: RNN, GRU and LSTM.
import { button, decimal, html, slider, status, store, svg } from "./kit.js";
import { stateGradients, states } from "./gradients.js";
import { HIGHWAY } from "./highway_data.js";

const STEPS = HIGHWAY.x.length;
const MIDDLE = 20; // from here to step 0 what h_T read from c_T plays no part in the factor
const FAINTEST = -8; // a road of less than 10⁻⁸ is a broken line
const ROW = 66;
const TOP = 20;
const NAMES = ["RNN", "GRU", "LSTM"];
const START = { b: 1, z: 0, radius: 0.58, x: 1, k: 20 };

/**
 * Share of a gradient at h_T that comes back to the states 0 … T: ‖∂h_T/∂(h_k, c_k)‖ / √H.
 *
 * The norm is Frobenius's, so this is the root mean square over all directions of the gradient.
 */
function comesBack(cell, params, x) {
  const all = states(cell, params, x);
  const H = params.W_h.length;
  const squares = all.map(() => 0);
  for (let n = 0; n < H; n++) {
    const unit = params.W_h.map((_, k) => Number(k === n));
    for (const [k, { dh, dc = [] }] of stateGradients(cell, params, all, unit).entries())
      for (const d of [...dh, ...dc]) squares[k] += d ** 2 / H;
  }
  return squares.map(Math.sqrt);
}

/** What comes back to the states 0 … T of each cell. */
export function shares({ b, z, radius, x: volume }) {
  const x = HIGHWAY.x.map((row) => row.map((value) => volume * value));
  const { rnn, gru, lstm } = HIGHWAY;
  const H = lstm.W_h.length;
  const biased = (params, bias) => ({
    ...params,
    b: params.b.map((value, n) => (n >= H && n < 2 * H ? bias : value)),
  });
  const cells = {
    RNN: { ...rnn, W_h: rnn.W_h.map((row) => row.map((weight) => radius * weight)) },
    GRU: biased(gru, z),
    LSTM: biased(lstm, b),
  };
  return Object.fromEntries(NAMES.map((name) => [name, comesBack(name, cells[name], x)]));
}

const tenTo = (exponent) =>
  `10${[...String(exponent)].map((d) => (d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])).join("")}`;

/** Write a positive number with two digits, as 0.72 or 3.1 · 10⁻⁹. */
function twoDigits(value) {
  const [digits, exponent] = value.toExponential(1).split("e");
  if (exponent < -2 || exponent > 1) return `${digits}\u00a0·\u00a0${tenTo(Number(exponent))}`;
  return value.toPrecision(2);
}

const thickness = (share) => Math.min(2 + 3.5 * (Math.log10(share) - FAINTEST), 48);

function check(state) {
  for (const [name, value] of Object.entries(state))
    if (!Number.isFinite(value)) throw new Error(`${name} must be a number, got ${value}`);
  if (!(Number.isInteger(state.k) && state.k >= 0 && state.k <= STEPS))
    throw new Error(`k must be a step, 0 … ${STEPS}, got ${state.k}`);
}

function road(name, share, place, middle) {
  const all = share.map((value, k) => [place(k), value]);
  const seen = all.filter(([, value]) => Math.log10(value) > FAINTEST);
  const edge = (sign) => seen.map(([x, v]) => `${x},${middle + (sign * thickness(v)) / 2}`);
  const shape = [...edge(-1), ...edge(1).reverse()].join(" ");
  const line = { x1: place(0), x2: place(STEPS), y1: middle, y2: middle };
  return svg(
    "g",
    { class: `live-road-${name}` },
    svg("line", { ...line, class: "live-road-lost" }),
    svg("polygon", { points: shape }),
    svg("text", { x: place(0), y: middle - ROW / 2 + 8, class: "live-road-name" }, name),
  );
}

function scale(place, y) {
  const gauge = [2, 0, -2, -4, -6].map((exponent, n) => {
    const high = thickness(10 ** exponent);
    const at = place(0) + 74 + 50 * n;
    return svg(
      "g",
      {},
      svg("rect", { x: at, y: y - high / 2, width: 6, height: high, class: "live-road-gauge" }),
      svg("text", { x: at + 10, y: y + 4 }, exponent ? tenTo(exponent) : "1"),
    );
  });
  return svg("g", {}, svg("text", { x: place(0), y: y + 4 }, "thickness:"), ...gauge);
}

function drawRoads(shown, k, wide) {
  const width = wide ? 680 : 340;
  const place = (step) => 8 + ((width - 16) * step) / STEPS;
  const bottom = TOP + NAMES.length * ROW;
  const ticks = [0, 10, 20, 30, 40].map((step) => {
    const anchor = { 0: "start", [STEPS]: "end" }[step] ?? "middle";
    const name = step === 0 ? "step 0" : String(step);
    return svg("text", { x: place(step), y: bottom + 14, "text-anchor": anchor }, name);
  });
  const way = { x: place(STEPS), y: bottom + 28, "text-anchor": "end" };
  return {
    viewBox: `0 0 ${width} ${bottom + 74}`,
    step: (x) => Math.round(((x * width - 8) / (width - 16)) * STEPS),
    parts: [
      ...NAMES.map((name, n) => road(name, shown[name], place, TOP + (n + 0.5) * ROW + 4)),
      svg("line", { x1: place(k), x2: place(k), y1: TOP - 4, y2: bottom, class: "live-road-here" }),
      svg(
        "text",
        { x: Math.min(Math.max(place(k), 24), width - 24), y: 12, "text-anchor": "middle" },
        `step ${k}`,
      ),
      ...ticks,
      svg("text", way, "← gradient"),
      scale(place, bottom + 46),
    ],
  };
}

function table() {
  const cells = NAMES.map(() => [html("td"), html("td"), html("td")]);
  const names = ["at step", "", "0", `mean factor a step, ${MIDDLE} to 0`];
  const head = names.map((name) => html("th", { scope: "col" }, name));
  const element = html(
    "table",
    { class: "live-numbers" },
    html("caption", {}, "Share of the gradient"),
    html("thead", {}, html("tr", {}, ...head)),
    html(
      "tbody",
      {},
      ...NAMES.map((name, n) => html("tr", {}, html("th", { scope: "row" }, name), ...cells[n])),
    ),
  );
  const show = (shown, k) => {
    head[1].textContent = k;
    for (const [n, name] of NAMES.entries()) {
      const [here, middle, start] = [k, MIDDLE, 0].map((step) => shown[name][step]);
      cells[n][0].textContent = twoDigits(here);
      cells[n][1].textContent = twoDigits(start);
      cells[n][2].textContent = decimal((start / middle) ** (1 / MIDDLE));
    }
  };
  return { element, show };
}

export default {
  render({ model, el }) {
    const wide = matchMedia("(min-width: 600px)");
    const picture = svg("svg", { role: "img", class: "live-roads" });
    const title = svg("title", {}, "How much of the gradient at step 40 comes back to each step");
    const numbers = table();
    const said = status();
    let step, waiting, keep;
    const control = (key, label, min, max, digits = 1) => {
      const change = (value) => keep.set({ [key]: value });
      return slider({ label, min, max, step: 10 ** -digits, value: min, digits, change });
    };
    const sliders = {
      b: control("b", "LSTM: forget bias", -2, 5),
      z: control("z", "GRU: update bias", -2, 5),
      radius: control("radius", "RNN: spectral radius", 0.1, 1.3, 2),
      x: control("x", "all: size of the input", 0, 2),
      k: control("k", "step to look at", 0, STEPS, 0),
    };
    const look = (event) => {
      const { left, width } = picture.getBoundingClientRect();
      keep.set({ k: Math.min(Math.max(step((event.clientX - left) / width), 0), STEPS) });
    };
    picture.addEventListener("pointermove", look);
    picture.addEventListener("pointerdown", look);
    const draw = (state) => {
      check(state);
      const shown = shares(state);
      const drawn = drawRoads(shown, state.k, wide.matches);
      step = drawn.step;
      picture.setAttribute("viewBox", drawn.viewBox);
      picture.replaceChildren(title, ...drawn.parts);
      numbers.show(shown, state.k);
      for (const [key, { show }] of Object.entries(sliders)) show(state[key]);
      clearTimeout(waiting);
      const each = NAMES.map((name) => `${name} ${twoDigits(shown[name][state.k])}`).join(", ");
      const words = `Of the gradient at step ${STEPS}, step ${state.k} gets: ${each}.`;
      waiting = setTimeout(() => said.say(words), 400); // not at every pixel of a slider
    };
    const inputs = Object.values(sliders).map(({ element }) => element);
    const again = button("Start again", () => keep.set(START));
    const controls = html("div", { class: "live-controls" }, ...inputs, again);
    el.append(picture, numbers.element, controls, said.element);
    keep = store({ model, el }, START, draw);
    wide.addEventListener("change", () => draw(keep.get()));
  },
};
