// The recall net of the chapter on the cell at work, on a sequence that the reader types.
import { html, slider, status, store, svg } from "./kit.js";
import { lstmStep, product } from "./arithmetic.js";
import { choice, drawTrace, follow, guesses } from "./traces.js";
import { RECALL } from "./recall_data.js";

const LETTERS = "ABCDwxyz"; // the symbols, then the distractors
const SYMBOLS = [..."ABCD"];
const LONGEST = 200;
const CLAMPS = ["none", "i0", "i1", "f0", "f1", "o0", "o1"];
const DISTRACTORS = "zyxxwzywxzzywxyxwzy"; // drawn once

/** The weights with one gate held at 0 or 1 in all units, as the chapter's `clamp` does. */
function clamped(params, clamp) {
  if (clamp === "none") return params;
  const [gate, value] = clamp;
  const layer = "ifgo".indexOf(gate);
  const H = params.W_h.length;
  const held = (bias, n) => (Math.floor(n / H) === layer ? 2000 * Number(value) - 1000 : bias);
  return { ...params, b: params.b.map(held) };
}

/**
 * Run the net over a text of the letters: its trace, [step 1 … T] of i, f, g, o, c, h (H) each,
 * and the probabilities p (4) that the readout gives the symbols after each step. A clamp, such
 * as "i0", holds from step 2 on.
 */
export function runRecall(text, clamp = "none") {
  const zero = RECALL.W_h.map(() => 0);
  let now = { h: zero, c: zero };
  return [...text].map((letter, k) => {
    const x = [...LETTERS].map((other) => Number(other === letter));
    now = lstmStep(x, now.h, now.c, k === 0 ? RECALL : clamped(RECALL, clamp));
    const z = product(now.h, RECALL.W_y).map((value, n) => value + RECALL.b_y[n]);
    const parts = z.map((value) => Math.exp(value - Math.max(...z)));
    const sum = parts.reduce((a, b) => a + b);
    return { ...now, p: parts.map((part) => part / sum) };
  });
}

/** What is wrong with a text, in words; "" where nothing is. */
function complaint(text) {
  const strange = [...text].find((letter) => !LETTERS.includes(letter));
  if (strange) return `“${strange}” is none of the letters A B C D, w x y z.`;
  if (text.length < 1) return "Type at least one letter.";
  if (text.length > LONGEST) return `Type at most ${LONGEST} letters: these are ${text.length}.`;
  return "";
}

function check(seq, unit, t, clamp) {
  const wrong = complaint(String(seq));
  if (wrong) throw new Error(`seq must be a sequence: ${wrong}`);
  const units = RECALL.W_h.length;
  if (!(unit in RECALL.W_h)) throw new Error(`unit must be 0 … ${units - 1}, got ${unit}`);
  if (!(Number.isInteger(t) && t >= 1)) throw new Error(`t must be a step, 1 …, got ${t}`);
  if (!CLAMPS.includes(clamp)) throw new Error(`clamp must be one of ${CLAMPS}, got ${clamp}`);
}

const inWords = (clamp) =>
  clamp === "none" ? "gates as trained" : `${clamp[0]} = ${clamp[1]} in all units`;
const said = (p) => SYMBOLS[p.indexOf(Math.max(...p))];

export default {
  render({ model, el }) {
    const wide = matchMedia("(min-width: 600px)");
    const picture = svg("svg", { role: "img", class: "live-trace" });
    const title = svg("title", {}, "One unit of the recall net along the sequence");
    const line = status();
    let step, waiting, keep;
    const field = html("input", { type: "text", maxlength: LONGEST, spellcheck: "false" });
    field.setAttribute("autocapitalize", "off");
    field.addEventListener("input", () => {
      const wrong = complaint(field.value);
      if (wrong) line.say(wrong);
      else keep.set({ seq: field.value, t: field.value.length });
    });
    const name = html("span", { class: "live-name" }, "sequence");
    const sequence = html("label", { class: "live-choice" }, name, field);
    const unit = choice({
      label: "unit",
      options: RECALL.W_h.map((_, n) => [n, `unit ${n}`]),
      change: (value) => keep.set({ unit: Number(value) }),
    });
    const clamp = choice({
      label: "from step 2",
      options: CLAMPS.map((one) => [one, inWords(one)]),
      change: (value) => keep.set({ clamp: value }),
    });
    const position = slider({
      label: "step",
      min: 1,
      max: LONGEST,
      step: 1,
      value: 1,
      digits: 0,
      change: (t) => keep.set({ t }),
    });
    const expected = guesses("The readout says, after this step:");
    follow(picture, (share) => keep.set({ t: step(share) }));
    const draw = ({ seq, unit: k, t: wanted, clamp: held }) => {
      check(seq, k, wanted, held);
      const run = runRecall(seq, held);
      const t = Math.min(wanted, seq.length);
      const trace = {};
      for (const name of "ifgoch") trace[name] = run.map((one) => one[name][k]);
      const answers = run.map(({ p }) => said(p));
      const rows = [
        { name: "in", letters: [...seq] },
        { name: "says", letters: answers },
      ];
      const drawn = drawTrace(trace, rows, t, wide.matches);
      step = drawn.step;
      picture.setAttribute("viewBox", drawn.viewBox);
      picture.replaceChildren(title, ...drawn.parts);
      position.element.querySelector("input").max = seq.length;
      position.show(t);
      unit.show(k);
      clamp.show(held);
      if (field.value !== seq) field.value = seq;
      expected.show(run[t - 1].p.map((p, n) => [SYMBOLS[n], p]));
      clearTimeout(waiting);
      const answer = `the net says ${answers[t - 1]}; the first was ${seq[0]}.`;
      const words = `After step ${t} of ${seq.length} ${answer}`;
      waiting = setTimeout(() => line.say(words), 400); // not at every pixel of a slider
    };
    const inputs = [sequence, clamp.element, unit.element, position.element];
    const controls = html("div", { class: "live-controls" }, ...inputs);
    el.append(picture, controls, expected.element, line.element);
    keep = store({ model, el }, { seq: `B${DISTRACTORS}`, unit: 0, t: 20, clamp: "none" }, draw);
    wide.addEventListener("change", () => draw(keep.get()));
  },
};
