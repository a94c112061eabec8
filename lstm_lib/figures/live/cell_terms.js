// The numbers of one step of an LSTM with one input and one unit, and how each comes about.
import { lstmStep, sigmoid } from "./arithmetic.js";
import { decimal } from "./kit.js";

const GATES = ["i", "f", "g", "o"];
export const FREE = "free";

/** What x is at step t, after the reader's own first x. */
export const SEQUENCES = {
  ones: { label: "1, 1, 1, 1, …", x: () => 1 },
  zeros: { label: "0, 0, 0, 0, …", x: () => 0 },
  turns: { label: "−1, 1, −1, 1, …", x: (t) => (t % 2 ? 1 : -1) },
};

// The cell of chapter 4: weights in the order i, f, g, o; a layer is free, or held at a number.
export const CELL = {
  x: 1,
  h: 0.5,
  c: 0.5,
  W_x: [Math.log(6), Math.log(9), Math.log(8), Math.log(2)],
  W_h: [-2 * Math.log(2), -2 * Math.log(3), -4 * Math.log(2), 2 * Math.log(2)],
  b: [0, Math.log(3), 0, 0],
  i: FREE,
  f: FREE,
  g: FREE,
  o: FREE,
  sequence: "ones",
};

/** Refuse what is no state of the cell: it may come from Python. */
export function check(state) {
  const refuse = (name, wanted) => {
    throw new Error(`${name} must be ${wanted}, got ${JSON.stringify(state[name])}`);
  };
  for (const name of ["x", "h", "c"]) if (!Number.isFinite(state[name])) refuse(name, "a number");
  for (const name of ["W_x", "W_h", "b"]) {
    const row = [state[name]].flat(2);
    if (row.length !== 4 || !row.every(Number.isFinite))
      refuse(name, "4 numbers (i, f, g, o; D = H = 1)");
  }
  for (const gate of GATES) {
    const low = gate === "g" ? -1 : 0;
    if (state[gate] !== FREE && !(state[gate] >= low && state[gate] <= 1))
      refuse(gate, `"${FREE}" or from ${low} to 1`);
  }
  if (!(state.sequence in SEQUENCES)) refuse("sequence", Object.keys(SEQUENCES).join(" or "));
}

/** The weights of the cell; a layer that is held sees nothing and has the bias that gives it. */
function weights(state) {
  const [W_x, W_h, b] = [state.W_x, state.W_h, state.b].map((row) => row.flat());
  GATES.forEach((gate, k) => {
    const value = state[gate];
    if (value === FREE) return;
    W_x[k] = W_h[k] = 0;
    b[k] = gate === "g" ? Math.atanh(value) : Math.log(value / (1 - value));
  });
  return { W_x: [W_x], W_h: [W_h], b };
}

/** Compute the number of every term of the step. */
export function terms(state) {
  const { x, h, c } = state;
  const step = lstmStep([x], [h], [c], weights(state));
  const [i, f, g, o, cNew, hNew] = [..."ifgoch"].map((name) => step[name][0]);
  const before = { x_t: x, "h_{t-1}": h, "c_{t-1}": c };
  const layers = { f_t: f, i_t: i, g_t: g, o_t: o };
  const products = { "f_t ⊙ c_{t-1}": f * c, "i_t ⊙ g_t": i * g };
  const after = { c_t: cNew, "tanh(c_t)": Math.tanh(cNew), h_t: hNew, y_t: hNew };
  return { ...before, ...layers, ...products, ...after };
}

/** How many decimals numbers need, at least `places`, for `tell` to say of them what it should. */
function decimalsFor(numbers, tell, places = 2) {
  const rounded = () => numbers.map((number) => Number(number.toFixed(places)));
  const wanted = tell(...numbers);
  while (places < 12 && tell(...rounded()) !== wanted) places++;
  return places;
}

/** Write a sum of products of pairs for a pencil to work out; a last number may be alone. */
function inNumbers(numbers, tell = decimal, least = 2) {
  const sum = (all) =>
    all.reduce((total, number, k) => (k % 2 ? total : total + number * (all[k + 1] ?? 1)), 0);
  const places = decimalsFor(numbers, (...all) => tell(sum(all)), least);
  const factor = (text) => (text.startsWith("−") ? `(${text})` : text);
  const written = numbers.map((number) => factor(decimal(number, places)));
  return written.reduce((before, next, k) => `${before} ${k % 2 ? "·" : "+"} ${next}`);
}

/** Say how each term comes about, in letters and then in numbers. */
export function formulas(state, value) {
  const { W_x, W_h, b } = weights(state);
  const names = ["x_t", "h_{t-1}", "c_{t-1}", "i_t", "f_t", "g_t", "o_t", "tanh(c_t)"];
  const [x, h, c, i, f, g, o, squashed] = names.map((term) => value[term]);
  const equal = (term, ...ways) => [term, ...ways, decimal(value[term])].join(" = ");
  const layer = (gate, k) => {
    const term = `${gate}_t`;
    if (state[gate] !== FREE) return `${equal(term)}, held by hand: its layer has no say`;
    const [squash, name] = gate === "g" ? [Math.tanh, "tanh"] : [sigmoid, "σ"];
    const a = x * W_x[0][k] + h * W_h[0][k] + b[k];
    const places = decimalsFor([a], (sum) => decimal(squash(sum)));
    const tell = (sum) => `${decimal(sum, places)} ${decimal(squash(sum))}`;
    const letters = `x_t W_x${gate} + h_{t-1} W_h${gate} + b_${gate}`;
    const numbers = inNumbers([x, W_x[0][k], h, W_h[0][k], b[k]], tell, places);
    const sums = [letters, numbers, decimal(a, places)];
    return equal(term, ...sums.map((sum) => `${name}(${sum})`));
  };
  const inTanh = decimal(value.c_t, decimalsFor([value.c_t], (c) => decimal(Math.tanh(c))));
  const [kept, written] = ["f_t ⊙ c_{t-1}", "i_t ⊙ g_t"];
  return {
    x_t: `${equal("x_t")}, the input: it joins h_{t-1} on the way to all four layers`,
    "h_{t-1}": `${equal("h_{t-1}")}, the hidden state before, on the way to all four layers`,
    "c_{t-1}":
      `${equal("c_{t-1}")}, the cell state before, ` +
      "on the way to the product with f_t: no layer sees it",
    ...Object.fromEntries(GATES.map((gate, k) => [`${gate}_t`, layer(gate, k)])),
    [kept]: `${equal(kept, inNumbers([f, c]))}, what is kept`,
    [written]: `${equal(written, inNumbers([i, g]))}, what is written`,
    c_t: equal("c_t", `${kept} + ${written}`, inNumbers([f, c, i, g])),
    "tanh(c_t)": equal("tanh(c_t)", `tanh(${inTanh})`),
    h_t: equal("h_t", "o_t ⊙ tanh(c_t)", inNumbers([o, squashed])),
    y_t: `${equal("y_t", "h_t")}, the output`,
  };
}
