// The recorded character model reading a passage: a cell as colour, and which characters matter.
import { button, decimal, html, slider, status, store, svg } from "./kit.js";
import { choice, drawTrace, follow, guesses, visible } from "./traces.js";
import { TEXT } from "./text_data.js";

const LENGTH = TEXT.text.length;
const BACK = TEXT.before.length + 1; // how many characters can matter to a guess
const GUESSES = TEXT.guesses.length / LENGTH;
const START = { k: TEXT.first, unit: TEXT.cells[0].unit, show: "c" };
const PARTS = [
  ["c", "cell state"],
  ["i", "input gate"],
  ["f", "forget gate"],
  ["o", "output gate"],
];
// From −1 over 0 to 1, and from 0 to 1; the colours of the chapter's own figures.
const SIGNED = [[33, 102, 172], [247, 247, 247], [178, 24, 43]];
const GATES = [[0, 34, 78], [124, 123, 120], [254, 232, 56]];

/** The trace of a cell: i, f, g, o, c and h after each character. */
export function cellTrace(cell) {
  const trace = {};
  for (const name of "ifgoc") trace[name] = cell[name].map((value) => value / 100);
  trace.h = trace.c.map((c, k) => trace.o[k] * Math.tanh(c));
  return trace;
}

/** How much the guess after k changes without each character before, as a share of the largest. */
export function mattering(k) {
  const row = [...TEXT.mattered.slice(BACK * k, BACK * (k + 1))];
  return row.map((digit) => TEXT.digits.indexOf(digit) / (TEXT.digits.length - 1));
}

/** The likeliest next characters after character k, as [character, probability]. */
export function nextCharacters(k) {
  const letters = [...TEXT.guesses.slice(GUESSES * k, GUESSES * (k + 1))];
  return letters.map((letter, n) => [letter, TEXT.chances[GUESSES * k + n] / 100]);
}

/** The colour at a share 0 … 1 of the way through three, and black or white to write on it. */
export function coloured(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * 2;
  const [from, to] = at < 1 ? stops.slice(0, 2) : stops.slice(1);
  const mix = from.map((value, n) => Math.round(value + (to[n] - value) * (at < 1 ? at : at - 1)));
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = mix.map((value) => linear(value / 255));
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // Where black and white have the same contrast, 4.58.
  return { ground: `rgb(${mix})`, ink: light > 0.179 ? "#000" : "#fff" };
}

function paint(element, { ground, ink }) {
  element.style.backgroundColor = ground;
  element.style.color = ink;
}

function legend() {
  const swatches = [0, 1, 2, 3, 4].map(() => html("span", { class: "live-swatch" }));
  const show = (stops, low) => {
    for (const [n, swatch] of swatches.entries()) {
      paint(swatch, coloured(stops, n / 4));
      swatch.textContent = decimal(low + ((1 - low) * n) / 4, low ? 1 : 2);
    }
  };
  return { element: html("p", { class: "live-legend" }, "colour: ", ...swatches), show };
}

/**
 * The passage, a span a character, in a box that scrolls to the marked one; `choose` is called with
 * the one that the pointer is at.
 */
function passage(choose) {
  const spans = [...TEXT.text].map((letter, k) =>
    html("span", { "data-k": k }, letter === "\n" ? "↵\n" : letter),
  );
  const look = ({ target }) => target.dataset.k !== undefined && choose(Number(target.dataset.k));
  const label = "The passage, each character on the colour of the cell";
  const attributes = { class: "live-passage", role: "group", tabindex: 0, "aria-label": label };
  const listeners = { pointermove: look, pointerdown: look };
  const element = html("div", { ...attributes, ...listeners }, ...spans);
  const colour = (trace, part, sign) => {
    for (const [k, span] of spans.entries()) {
      const value = part === "c" ? (1 + sign * Math.tanh(trace.c[k])) / 2 : trace[part][k];
      paint(span, coloured(part === "c" ? SIGNED : GATES, value));
    }
  };
  const mark = (k) => {
    const shares = mattering(k);
    for (const [n, span] of spans.entries()) {
      const share = n <= k && n > k - BACK ? shares[BACK - 1 - (k - n)] : 0;
      span.style.borderBottomWidth = `${Math.round(6 * share)}px`;
      span.classList.toggle("live-passage-here", n === k);
    }
    if (!element.matches(":hover")) reveal(spans[k]); // nothing moves away under the pointer
  };
  // Not scrollIntoView: that would scroll the page, too.
  const reveal = ({ offsetTop, offsetHeight }) => {
    const { scrollTop, clientHeight } = element;
    if (offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight) return;
    element.scrollTop = offsetTop - clientHeight / 2;
  };
  return { element, colour, mark };
}

/** In words: the three characters whose removal changes the guess after k most. */
function mostMattering(k) {
  const letters = [...TEXT.before + TEXT.text].slice(k, k + BACK);
  const shares = mattering(k).map((share, n) => [share, n]);
  const ranked = shares.sort((a, b) => b[0] - a[0]);
  const named = ranked.slice(0, 3).map(([, n]) => {
    const back = BACK - 1 - n;
    return `“${visible(letters[n])}”${back ? ` ${back} back` : ""}`;
  });
  return named.join(", ");
}

function check(k, chosen, show) {
  const units = TEXT.cells.map(({ unit }) => unit);
  const parts = PARTS.map(([name]) => name);
  if (!chosen) throw new Error(`unit must be one of ${units}`);
  if (!parts.includes(show)) throw new Error(`show must be one of ${parts}, got ${show}`);
  if (!(k in chosen.c)) throw new Error(`k must be a character, 0 … ${LENGTH - 1}, got ${k}`);
}

export default {
  render({ model, el }) {
    const wide = matchMedia("(min-width: 600px)");
    const picture = svg("svg", { role: "img", class: "live-trace" });
    const title = svg("title", {}, "The cell along the characters around the chosen one");
    const line = status();
    const expected = guesses("Next, the model expects:");
    let step, waiting, keep;
    let shown = "";
    const move = (k) => k !== keep.get().k && keep.set({ k });
    const page = passage(move);
    const scale = legend();
    const cell = choice({
      label: "cell",
      options: TEXT.cells.map(({ unit, follows, score }) => {
        return [unit, `${unit}: ${follows}, ${decimal(score)}`];
      }),
      change: (value) => keep.set({ unit: Number(value) }),
    });
    const change = (value) => keep.set({ show: value });
    const part = choice({ label: "colour", options: PARTS, change });
    const stateName = part.element.querySelector("option"); // the first of PARTS
    const position = slider({
      label: "character",
      min: 1,
      max: LENGTH,
      step: 1,
      value: 1,
      digits: 0,
      change: (t) => keep.set({ k: t - 1 }),
    });
    follow(picture, (share) => move(step(share) - 1));
    const draw = ({ k, unit, show }) => {
      const chosen = TEXT.cells.find((one) => one.unit === unit);
      check(k, chosen, show);
      const trace = cellTrace(chosen);
      if (shown !== `${unit} ${show}`) page.colour(trace, show, chosen.sign);
      shown = `${unit} ${show}`;
      scale.show(show === "c" ? SIGNED : GATES, show === "c" ? -1 : 0);
      page.mark(k);
      const first = [...TEXT.text].map((_, n) => TEXT.guesses[GUESSES * n]);
      const rows = [{ name: "in", letters: [...TEXT.text] }, { name: "next", letters: first }];
      const drawn = drawTrace(trace, rows, k + 1, wide.matches);
      step = drawn.step;
      picture.setAttribute("viewBox", drawn.viewBox);
      picture.replaceChildren(title, ...drawn.parts);
      position.show(k + 1);
      cell.show(unit);
      part.show(show);
      stateName.textContent = `cell state, ${chosen.sign < 0 ? "−" : ""}tanh(c)`;
      const next = nextCharacters(k);
      expected.show(next);
      clearTimeout(waiting);
      const [[guess, p]] = next;
      const read = `After “${visible(TEXT.text[k])}” the model expects “${visible(guess)}”`;
      const words = `${read} with ${decimal(p)}. Its lead changes most without: ${mostMattering(k)}.`;
      waiting = setTimeout(() => line.say(words), 400); // not at every move
    };
    const inputs = [cell, part, position].map(({ element }) => element);
    const again = button("Start again", () => keep.set(START));
    const controls = html("div", { class: "live-controls" }, ...inputs, again);
    el.append(page.element, scale.element, picture, expected.element, line.element, controls);
    keep = store({ model, el }, START, draw);
    requestAnimationFrame(() => page.mark(keep.get().k)); // on the page, where the box can scroll
    wide.addEventListener("change", () => draw(keep.get()));
  },
};
