// The arithmetic of the cells, in the notation of the book; tests compare it with numpy_cells.

export function sigmoid(z) {
  // Two forms: exp overflows for large arguments, and one of these never has them.
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

/** Multiply a row x (D) by a matrix W (D rows of N). */
export function product(x, W) {
  // Plain loops along the rows: a figure that runs hundreds of sequences waits for these.
  const sums = W[0].map(() => 0);
  for (let d = 0; d < x.length; d++) {
    const row = W[d];
    for (let n = 0; n < sums.length; n++) sums[n] += x[d] * row[n];
  }
  return sums;
}

/**
 * Compute one step of an LSTM: i, f, g, o, c and h, each a list of H numbers.
 *
 * x has D numbers, h and c have H; W_x is D × 4H, W_h is H × 4H, b has 4H, in the order i, f, g, o.
 */
export function lstmStep(x, h, c, { W_x, W_h, b }) {
  const H = h.length;
  const u = product(x, W_x);
  const v = product(h, W_h);
  const a = b.map((bias, n) => u[n] + v[n] + bias);
  const i = a.slice(0, H).map(sigmoid);
  const f = a.slice(H, 2 * H).map(sigmoid);
  const g = a.slice(2 * H, 3 * H).map(Math.tanh);
  const o = a.slice(3 * H).map(sigmoid);
  const cNew = c.map((old, n) => f[n] * old + i[n] * g[n]);
  const hNew = cNew.map((value, n) => o[n] * Math.tanh(value));
  return { a, i, f, g, o, c: cNew, h: hNew };
}

/** Compute one step of an RNN: h, a list of H numbers. W_x is D × H, W_h is H × H, b has H. */
export function rnnStep(x, h, { W_x, W_h, b }) {
  const u = product(x, W_x);
  const v = product(h, W_h);
  return { h: b.map((bias, n) => Math.tanh(u[n] + v[n] + bias)) };
}

/**
 * Compute one step of a GRU: r, z, n, h and m, what r multiplies, each a list of H numbers.
 *
 * W_x is D × 3H, W_h is H × 3H, b has 3H, in the order r, z, n; b_hn has H.
 */
export function gruStep(x, h, { W_x, W_h, b, b_hn }) {
  const H = h.length;
  const u = product(x, W_x).map((value, n) => value + b[n]);
  const v = product(h, W_h);
  const r = h.map((_, n) => sigmoid(u[n] + v[n]));
  const z = h.map((_, n) => sigmoid(u[H + n] + v[H + n]));
  const m = h.map((_, n) => v[2 * H + n] + b_hn[n]);
  const n = h.map((_, k) => Math.tanh(u[2 * H + k] + r[k] * m[k]));
  return { r, z, n, m, h: h.map((old, k) => (1 - z[k]) * n[k] + z[k] * old) };
}
