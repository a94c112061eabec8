// The latch: set three gates by hand over eight steps, to store a bit, keep it and show it.
import { button, decimal, html, slider, status, store, svg } from "./kit.js";
import { lstmStep } from "./arithmetic.js";

const GATES = { i: "input gate", f: "forget gate", o: "output gate" };
const CHALLENGES = [
  {
    name: "Keep",
    task: "Show the bit of step 1 at step 7, and nothing before or after.",
    g: [1, -1, 1, -1, -1, 1, -1, -1],
    wanted: [0, 0, 0, 0, 0, 0, 1, 0],
  },
  {
    name: "Replace",
    task: "Show the bit of step 2 at step 4 and the bit of step 5 at step 8, else nothing.",
    g: [-1, 1, -1, -1, -1, 1, 1, 1],
    wanted: [0, 0, 0, 1, 0, 0, 0, -1],
  },
  {
    name: "Erase",
    task:
      "The output gate is stuck open: what the cell holds shows. Hold the bit of step 2 until " +
      "step 4, nothing at steps 1, 5 and 6, and the bit of step 7 from there on.",
    g: [-1, 1, -1, 1, -1, 1, -1, 1],
    wanted: [0, 1, 1, 1, 0, 0, -1, -1],
    stuck: true,
  },
];
const T = 8;
const START = { keep: 1, i: Array(T).fill(0), f: Array(T).fill(1), o: Array(T).fill(0) };

// One unit whose four inputs are the levers of i, f, g and o: W_x is an identity, all else is 0.
const UNIT = {
  W_x: [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => Number(row === column))),
  W_h: [[0, 0, 0, 0]],
  b: [0, 0, 0, 0],
};
const HARD = 800; // far enough: σ(±800) is exactly 1 and 0, tanh(±800) exactly 1 and −1

function lever(gate) {
  if (gate === 0 || gate === 1) return HARD * (2 * gate - 1);
  return Math.log(gate / (1 - gate));
}

/** Run the unit from c = 0 over lists of gates in [0, 1] and of candidates, +1 or −1. */
export function runLatch({ i, f, o, g }) {
  let state = { h: [0], c: [0] };
  return g.map((bit, k) => {
    const x = [lever(i[k]), lever(f[k]), HARD * bit, lever(o[k])];
    state = lstmStep(x, state.h, state.c, UNIT);
    return { c: state.c[0], h: state.h[0] };
  });
}

/** The bit that an output shows: +1 or −1 from a half on, else nothing, 0. */
export function shownBit(h) {
  return Math.abs(h) < 0.5 ? 0 : Math.sign(h);
}

function signed(bit) {
  return bit > 0 ? "+1" : bit < 0 ? "−1" : "0";
}

function check({ challenge, keep, ...gates }) {
  if (!CHALLENGES[challenge - 1])
    throw new Error(`challenge must be 1 to ${CHALLENGES.length}, got ${challenge}`);
  if (!(keep >= 0.5 && keep <= 1)) throw new Error(`keep must be from 0.5 to 1, got ${keep}`);
  for (const [gate, values] of Object.entries(gates)) {
    const bits = [values].flat();
    if (bits.length !== T || bits.some((bit) => bit !== 0 && bit !== 1))
      throw new Error(`${gate} must be ${T} times 0 or 1, got ${values}`);
  }
}

// The pictures of one step fill their cells of the table, so that they meet at the edges.
const HEIGHT = 56;

function cellPicture(...shapes) {
  const frame = { viewBox: `0 0 40 ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  const zero = svg("line", { x1: 0, x2: 40, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "live-zero" });
  return svg("svg", frame, zero, ...shapes);
}

function height(value, limit) {
  return (HEIGHT / 2) * (1 - (0.94 * value) / limit);
}

function bar(x, width, y) {
  const [zero, top] = [HEIGHT / 2, Math.min(y, HEIGHT / 2)];
  return svg("rect", { x, width, y: top, height: Math.abs(y - zero) });
}

function memoryPicture(before, now, limit) {
  const [from, to] = [height(before, limit), height(now, limit)];
  return cellPicture(
    bar(0, 40, to),
    svg("path", { d: `M0 ${from}V${to}H40`, class: "live-memory" }),
  );
}

function outputPicture(h) {
  const y = height(h, 1);
  const bounds = [0.5, -0.5].map((value) => height(value, 1));
  return cellPicture(
    ...bounds.map((y1) => svg("line", { x1: 0, x2: 40, y1, y2: y1, class: "live-bound" })),
    bar(11, 18, y),
  );
}

function verdict(right) {
  const words = { role: "img", "aria-label": right ? "right" : "wrong" };
  return html("span", { ...words, class: right ? "live-yes" : "live-no" }, right ? "✓" : "✗");
}

/** Make a row of the table: its name and a cell for each step. */
function row(name, fill) {
  const cells = Array.from({ length: T }, (_, k) => html("td", {}, ...[fill?.(k) ?? []].flat()));
  const head = html("th", { scope: "row" }, name);
  return { element: html("tr", { class: `live-row-${name}` }, head, ...cells), cells };
}

/** The switches of the gates: one stop of the tab key, from which the arrow keys walk. */
function switches(flip) {
  const grid = Object.keys(GATES).map((gate) =>
    Array.from({ length: T }, (_, k) =>
      html("input", {
        type: "checkbox",
        "aria-label": `${GATES[gate]}, step ${k + 1}`,
        change: (event) => flip(gate, k, Number(event.target.checked)),
      }),
    ),
  );
  let stop = grid[0][0];
  const stopAt = (input) => {
    stop = input;
    for (const other of grid.flat()) other.tabIndex = other === stop ? 0 : -1;
  };
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  grid.forEach((line, gate) =>
    line.forEach((input, k) => {
      input.addEventListener("focus", () => stopAt(input));
      input.addEventListener("keydown", (event) => {
        if (!(event.key in moves)) return;
        event.preventDefault();
        const [down, right] = moves[event.key];
        const next = grid[gate + down]?.[k + right];
        if (next && !next.disabled) next.focus();
      });
    }),
  );
  const inputs = Object.fromEntries(Object.keys(GATES).map((gate, n) => [gate, grid[n]]));
  // A switch that cannot be reached is no place for the tab key.
  return { inputs, keepStop: () => stopAt(stop.disabled ? grid[0][0] : stop) };
}

function report(steps, wanted) {
  const wrong = steps.findIndex(({ h }, k) => shownBit(h) !== wanted[k]);
  if (wrong < 0) return "Solved: every step shows what is wanted.";
  const right = steps.filter(({ h }, k) => shownBit(h) === wanted[k]).length;
  const { h } = steps[wrong];
  const faint = shownBit(h) === 0 && decimal(h) !== decimal(0);
  const first = faint ? `${decimal(h)}, too little for a bit;` : `${signed(shownBit(h))},`;
  const want = signed(wanted[wrong]);
  return `${right} of ${T} steps are right. Step ${wrong + 1} shows ${first} wanted is ${want}.`;
}

export default {
  render({ model, el }) {
    let state;
    const { inputs, keepStop } = switches((gate, k, bit) =>
      state.set({ [gate]: state.get()[gate].map((old, n) => (n === k ? bit : old)) }),
    );
    const gates = Object.keys(GATES).map((gate) => row(gate, (k) => inputs[gate][k]));
    const [g, c, h, want, mark] = ["g", "c", "h", "want", "right"].map((name) => row(name));
    const head = html("thead", {}, row("step", (k) => String(k + 1)).element);
    const lines = [g, ...gates, c, h, want, mark].map((line) => line.element);
    const choices = CHALLENGES.map(({ name }, n) =>
      button(name, () => state.set({ challenge: n + 1, ...START })),
    );
    const task = html("p");
    const keep = slider({
      label: ["value of an open ", html("i", {}, "f")],
      min: 0.5,
      max: 1,
      value: 1,
      change: (value) => state.set({ keep: value }),
    });
    const line = status();
    const hint = html("p", {}, "Tap a box to open (1) or close (0) a gate.");
    const name = { "aria-label": "Eight steps of the unit" };
    el.classList.add("live-latch");
    el.append(
      html("div", { class: "live-buttons" }, ...choices, button("Clear", () => state.set(START))),
      task,
      hint,
      html("table", name, head, html("tbody", {}, ...lines)),
      keep.element,
      line.element,
    );

    const draw = (now) => {
      check(now);
      const { name, task: words, g: offered, wanted, stuck } = CHALLENGES[now.challenge - 1];
      const o = stuck ? Array(T).fill(1) : now.o;
      const f = now.f.map((open) => open * now.keep);
      const steps = runLatch({ i: now.i, f, o, g: offered });
      const limit = Math.max(1.1, ...steps.map((step) => Math.abs(step.c)));
      choices.forEach((choice) => choice.setAttribute("aria-pressed", choice.textContent === name));
      task.textContent = words;
      keep.show(now.keep);
      for (const [gate, values] of Object.entries({ ...now, o }).filter(([key]) => key in GATES)) {
        inputs[gate].forEach((input, k) => {
          input.checked = values[k] === 1;
          const value = gate === "f" ? f[k] : values[k];
          input.dataset.value = Number.isInteger(value) ? value : decimal(value);
          input.disabled = gate === "o" && Boolean(stuck);
        });
      }
      keepStop();
      steps.forEach((step, k) => {
        const before = k ? steps[k - 1].c : 0;
        g.cells[k].textContent = signed(offered[k]);
        c.cells[k].replaceChildren(memoryPicture(before, step.c, limit), decimal(step.c));
        h.cells[k].replaceChildren(outputPicture(step.h), decimal(step.h));
        want.cells[k].textContent = signed(wanted[k]);
        mark.cells[k].replaceChildren(verdict(shownBit(step.h) === wanted[k]));
      });
      line.say(report(steps, wanted));
    };
    state = store({ model, el }, { challenge: 1, ...START }, draw);
  },
};
