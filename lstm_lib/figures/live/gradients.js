// The ways of a gradient back to each state, as lstm_lib.gradients.state_gradients has them.
import { gruStep, lstmStep, rnnStep } from "./arithmetic.js";

/** Multiply a row x (N) by the transpose of a matrix W (M rows of N). */
function timesTransposed(x, W) {
  return W.map((row) => row.reduce((sum, weight, n) => sum + weight * x[n], 0));
}

// Each `back` takes the state of step t, that of step t − 1, and the gradient by the state that
// step t hands on; it gives that by the state of step t − 1.

function rnnBack({ h }, before, { dh }, { W_h }) {
  return { dh: timesTransposed(dh.map((d, k) => d * (1 - h[k] ** 2)), W_h) };
}

function gruBack({ r, z, n, m }, before, { dh }, { W_h }) {
  const da_n = dh.map((d, k) => d * (1 - z[k]) * (1 - n[k] ** 2));
  const da_z = dh.map((d, k) => d * (before.h[k] - n[k]) * z[k] * (1 - z[k]));
  const da_r = da_n.map((d, k) => d * m[k] * r[k] * (1 - r[k]));
  const sent = timesTransposed([...da_r, ...da_z, ...da_n.map((d, k) => d * r[k])], W_h);
  return { dh: dh.map((d, k) => d * z[k] + sent[k]) };
}

function lstmBack({ i, f, g, o, c }, before, { dh, dc: held }, { W_h }) {
  const dc = held.map((d, k) => d + dh[k] * o[k] * (1 - Math.tanh(c[k]) ** 2));
  const di = dc.map((d, k) => d * g[k] * i[k] * (1 - i[k]));
  const df = dc.map((d, k) => d * before.c[k] * f[k] * (1 - f[k]));
  const dg = dc.map((d, k) => d * i[k] * (1 - g[k] ** 2));
  const do_ = dh.map((d, k) => d * Math.tanh(c[k]) * o[k] * (1 - o[k]));
  const sent = timesTransposed([...di, ...df, ...dg, ...do_], W_h);
  return { dh: sent, dc: dc.map((d, k) => d * f[k]) };
}

const CELLS = {
  RNN: { step: (x, { h }, params) => rnnStep(x, h, params), back: rnnBack },
  GRU: { step: (x, { h }, params) => gruStep(x, h, params), back: gruBack },
  LSTM: { step: (x, { h, c }, params) => lstmStep(x, h, c, params), back: lstmBack },
};

/** Run a cell ("RNN", "GRU", "LSTM") over x, T rows of D: its states 0 … T, from zero on. */
export function states(cell, params, x, start = undefined) {
  const zero = params.W_h.map(() => 0);
  const all = [start ?? { h: zero, c: zero }];
  for (const x_t of x) all.push(CELLS[cell].step(x_t, all.at(-1), params));
  return all;
}

/**
 * Follow the gradient of L = dh_T · h_T back: dh and, for the LSTM, dc by the states 0 … T.
 *
 * `all` is what `states` gave. dh_k holds c_k fixed, dc_k holds h_k fixed: a state is what its step
 * hands on, both parts of it.
 */
export function stateGradients(cell, params, all, dh_T) {
  const rows = [cell === "LSTM" ? { dh: dh_T, dc: dh_T.map(() => 0) } : { dh: dh_T }];
  for (let k = all.length - 1; k > 0; k--)
    rows.unshift(CELLS[cell].back(all[k], all[k - 1], rows[0], params));
  return rows;
}
