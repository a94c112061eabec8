// The recall net of the chapter on the cell at work, on a sequence that the reader types.
import { button, html, slider, status, store, svg } from "./kit.js";
import { lstmStep, product } from "./arithmetic.js";
import { choice, drawTrace, follow, guesses } from "./traces.js";
import { RECALL } from "./recall_data.js";

const LETTERS = "ABCDwxyz"; // the symbols, then the distractors
const SYMBOLS = [..."ABCD"];
const LONGEST = 200;
const CLAMPS = ["none", "i0", "i1", "f0", "f1", "o0", "o1"];
const DISTRACTORS = "zyxxwzywxzzywxyxwzy"; // drawn once
const START = { seq: `B${DISTRACTORS}`, unit: 0, t: 20, clamp: "none" };

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

/**
 * The field for a sequence and, under it, what is wrong with the text in it; `change` gets a text
 * that is right. A wrong one stays to be mended, until another sequence is shown or `forget`.
 */
function sequenceField(change) {
  const id = `recall-complaint-${Math.random().toString(36).slice(2)}`; // one a notebook's widget
  const wrong = html("p", { class: "live-complaint", role: "alert", id });
  const field = html("input", { type: "text", maxlength: LONGEST, spellcheck: "false" });
  field.setAttribute("autocapitalize", "off");
  field.setAttribute("aria-describedby", id);
  let shown;
  const complain = (words) => {
    field.setAttribute("aria-invalid", words !== "");
    if (wrong.textContent !== words) wrong.textContent = words; // read out once
  };
  field.addEventListener("input", () => {
    const words = complaint(field.value);
    complain(words);
    if (words) return;
    shown = field.value;
    change(shown);
  });
  const show = (seq) => {
    if (seq === shown) return;
    field.value = shown = seq;
    complain("");
  };
  const name = html("span", { class: "live-name" }, "sequence");
  const label = html("label", { class: "live-choice" }, name, field);
  return { elements: [label, wrong], show, forget: () => (shown = undefined) };
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
    const typed = sequenceField((seq) => keep.set({ seq, t: seq.length }));
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
    follow(picture, (share) => {
      const t = step(share);
      if (t !== Math.min(keep.get().t, keep.get().seq.length)) keep.set({ t });
    });
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
      typed.show(seq);
      expected.show(run[t - 1].p.map((p, n) => [SYMBOLS[n], p]));
      clearTimeout(waiting);
      const answer = `the net says ${answers[t - 1]}; the first was ${seq[0]}.`;
      const words = `After step ${t} of ${seq.length} ${answer}`;
      waiting = setTimeout(() => line.say(words), 400); // not at every pixel of a slider
    };
    const again = button("Start again", () => {
      typed.forget();
      keep.set(START);
    });
    const inputs = [...typed.elements, clamp.element, unit.element, position.element, again];
    const controls = html("div", { class: "live-controls" }, ...inputs);
    el.append(picture, controls, expected.element, line.element);
    el.addEventListener("live:set", typed.forget);
    keep = store({ model, el }, START, draw);
    wide.addEventListener("change", () => draw(keep.get()));
  },
};
