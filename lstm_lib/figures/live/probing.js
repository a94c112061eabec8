// What the information meter computes: networks drawn at random, a linear probe of their states.
import { lstmStep, product, rnnStep } from "./arithmetic.js";

export const SYMBOLS = 4; // A, B, C, D; the inputs after them are as many distractors
const D = 2 * SYMBOLS;

/** Make a generator of numbers in [0, 1) that are the same on every visit: mulberry32. */
export function random(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let z = Math.imul(a ^ (a >>> 15), a | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

function matrix(rows, columns, draw) {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, draw));
}

function scaled(W, factor) {
  return W.map((row) => row.map((weight) => weight * factor));
}

/** The largest absolute eigenvalue of W: ‖Wⁿ‖^(1/n) for a very large n, by squaring (Gelfand). */
export function spectralRadius(W) {
  let logarithm = 0;
  let power = W;
  for (let n = 1; ; n *= 2) {
    const norm = Math.hypot(...power.flat());
    logarithm += Math.log(norm) / n;
    if (n > 2 ** 40 || norm === 0) return Math.exp(logarithm);
    power = scaled(power, 1 / norm);
    power = power.map((row) => product(row, power));
  }
}

function dot(a, b) {
  return a.reduce((sum, value, k) => sum + value * b[k], 0);
}

/** Draw a matrix whose H rows are orthogonal and of length 1, each direction being as likely. */
export function orthogonalMatrix(uniform, H) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const rows = [];
  for (let row of matrix(H, H, normal)) {
    // Twice: what rounding leaves of the others after the first time is as small as it gets.
    for (const other of [...rows, ...rows]) {
      const share = dot(row, other);
      row = row.map((value, k) => value - share * other[k]);
    }
    rows.push(row.map((value) => value / Math.sqrt(dot(row, row))));
  }
  return rows;
}

/** Draw an RNN of H units as numpy_cells does, of a spectral radius, or orthogonal. */
export function drawRnn(uniform, H, { radius, orthogonal }) {
  const weight = () => (2 * uniform() - 1) / Math.sqrt(H);
  const W_x = matrix(D, H, weight);
  const b = Array(H).fill(0);
  if (orthogonal) return { W_x: scaled(W_x, 0.02), W_h: orthogonalMatrix(uniform, H), b };
  const W_h = matrix(H, H, weight);
  return { W_x, W_h: scaled(W_h, radius / spectralRadius(W_h)), b };
}

/** Draw an LSTM of H units as numpy_cells does; `closed`: no distractor opens an input gate. */
export function drawLstm(uniform, H, { bias, closed }) {
  const weight = () => (2 * uniform() - 1) / Math.sqrt(H);
  const W_x = matrix(D, 4 * H, weight);
  if (closed) for (const row of W_x.slice(SYMBOLS)) row.fill(-800, 0, H);
  const b = Array.from({ length: 4 * H }, (_, n) => (n >= H && n < 2 * H ? bias : 0));
  return { W_x, W_h: matrix(H, 4 * H, weight), b };
}

/** Draw B sequences of T inputs: first the symbols in turn, then distractors. */
export function drawSequences(uniform, T, B) {
  const distractor = () => SYMBOLS + Math.floor(SYMBOLS * uniform());
  return Array.from({ length: B }, (_, b) =>
    Array.from({ length: T }, (_, t) => (t ? distractor() : b % SYMBOLS)),
  );
}

/** Run a cell, "RNN" or "LSTM", over sequences: for each step and sequence h, or h and c. */
export function runStates(cell, params, sequences) {
  const oneHot = matrix(D, D, () => 0).map((row, k) => row.fill(1, k, k + 1));
  const zero = params.W_h.map(() => 0);
  const runs = sequences.map((sequence) => {
    let state = { h: zero, c: zero };
    return sequence.map((input) => {
      const x = oneHot[input];
      state = cell === "RNN" ? rnnStep(x, state.h, params) : lstmStep(x, state.h, state.c, params);
      return cell === "RNN" ? state.h : [...state.h, ...state.c];
    });
  });
  return sequences[0].map((_, t) => runs.map((run) => run[t]));
}

/** Solve A X = Y for a symmetric positive A by Cholesky's L Lᵀ = A; Y has a row for each of A. */
function solve(A, Y) {
  const L = A.map(() => []);
  A.forEach((row, j) => {
    for (let k = 0; k <= j; k++) {
      let rest = row[k];
      for (let m = 0; m < k; m++) rest -= L[j][m] * L[k][m];
      L[j][k] = j === k ? Math.sqrt(rest) : rest / L[k][k];
    }
  });
  const X = Y.map((row) => [...row]);
  const eliminate = (j, k, factor) => X[j].forEach((_, n) => (X[j][n] -= factor * X[k][n]));
  const divide = (j) => X[j].forEach((_, n) => (X[j][n] /= L[j][j]));
  for (let j = 0; j < A.length; j++) {
    for (let k = 0; k < j; k++) eliminate(j, k, L[j][k]);
    divide(j);
  }
  for (let j = A.length - 1; j >= 0; j--) {
    for (let k = j + 1; k < A.length; k++) eliminate(j, k, L[k][j]);
    divide(j);
  }
  return X;
}

/** Give every column the mean 0 and the deviation 1 over the first `seen` rows. */
function standardised(rows, seen) {
  const mean = rows[0].map(() => 0);
  const square = rows[0].map(() => 0);
  const first = rows.slice(0, seen);
  for (const row of first) row.forEach((value, k) => (mean[k] += value / seen));
  for (const row of first) row.forEach((value, k) => (square[k] += (value - mean[k]) ** 2 / seen));
  // A unit that never moves stays at 0.
  const scale = square.map((value) => (value > 0 ? 1 / Math.sqrt(value) : 0));
  return rows.map((row) => row.map((value, k) => (value - mean[k]) * scale[k]));
}

/**
 * Read labels from states by a linear probe, and give its answers for the rows it has not seen.
 *
 * states: rows of numbers; labels: one each, every label as often in the first `seen` rows, to
 * which the probe is fitted by least squares (ridge 1) after standardising. It answers with the
 * label whose output is largest.
 */
export function probeAnswers(states, labels, seen) {
  const Z = standardised(states, seen);
  const A = Z[0].map((_, j) => Z[0].map((_, k) => Number(j === k)));
  const Y = Z[0].map(() => Array(SYMBOLS).fill(0));
  for (let b = 0; b < seen; b++) {
    const row = Z[b];
    for (let j = 0; j < row.length; j++) {
      Y[j][labels[b]] += row[j];
      for (let k = 0; k <= j; k++) A[j][k] += row[j] * row[k];
    }
  }
  const W = solve(A, Y);
  return Z.slice(seen).map((row) => {
    const outputs = product(row, W);
    return outputs.indexOf(Math.max(...outputs));
  });
}
