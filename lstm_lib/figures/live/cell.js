// One step of an LSTM, a number on every arrow: change what goes in, the weights, the layers.
import { CELL_DRAWING } from "./cell_drawing.js";
import { CELL, check, formulas, FREE, SEQUENCES, terms } from "./cell_terms.js";
import { button, decimal, html, slider, status, store, svg } from "./kit.js";

const LAYERS = { i: "input gate", f: "forget gate", g: "candidate", o: "output gate" };
const SUBSCRIPT = /([a-zA-Z])_(?:\{([^}]*)\}|(\w+))/g;
const spoken = (text) => text.replace(SUBSCRIPT, "$1 $2$3").replaceAll("t-1", "t−1");

/** Set letters with their subscripts. */
function typeset(text) {
  const pieces = [];
  let from = 0;
  for (const match of text.matchAll(SUBSCRIPT)) {
    const below = (match[2] ?? match[3]).replace("-", "−");
    pieces.push(text.slice(from, match.index), html("i", {}, match[1]), html("sub", {}, below));
    from = match.index + match[0].length;
  }
  return [...pieces, text.slice(from)];
}

/** Put a bar beside each layer, from 0 upwards, or for g from its middle. */
function bars(root) {
  const shown = Object.keys(LAYERS).map((gate) => {
    const box = root.querySelector(`[data-name="${gate}_t"] rect`);
    const of = (name) => Number(box.getAttribute(name));
    const [y, height] = [of("y"), of("height")];
    const place = { x: of("x") + of("width") + 4, y, width: 9, height };
    const colour = `var(--live-${gate})`;
    const bar = svg("rect", { ...place, fill: colour });
    root.append(bar, svg("rect", { ...place, fill: "none", stroke: colour }));
    const low = gate === "g" ? -1 : 0;
    const share = (value) => (value - low) / (1 - low);
    return (state, value) => {
      const [from, to] = [share(0), share(value[`${gate}_t`])].sort((a, b) => a - b);
      bar.setAttribute("y", y + height * (1 - to));
      bar.setAttribute("height", height * (to - from));
      box.setAttribute("stroke-dasharray", state[gate] === FREE ? "none" : "6 4");
    };
  });
  return (state, value) => shown.forEach((show) => show(state, value));
}

/** Make the picture; `pick` is called with the term that is pointed at, or reached by keys. */
function picture(pick) {
  const parsed = new DOMParser().parseFromString(CELL_DRAWING, "image/svg+xml");
  const root = document.importNode(parsed.documentElement, true);
  root.setAttribute("class", "live-cell-picture");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "One step of an LSTM. Arrow keys go from number to number.");
  const showBars = bars(root);
  for (const way of root.querySelectorAll(".edge path"))
    way.after(svg("path", { d: way.getAttribute("d"), class: "live-near" }));
  const order = Object.keys(terms(CELL));
  const numbers = order.map((term) => {
    const text = root.querySelector(`[data-term="${term}"]`);
    const left = { start: 4, middle: 32, end: 60 }[text.getAttribute("text-anchor")];
    const [x, y] = [text.getAttribute("x") - left, text.getAttribute("y") - 32];
    const target = svg("rect", { x, y, width: 64, height: 48, fill: "transparent" });
    const focus = () => pick(term);
    const attributes = { class: "live-term", role: "button", "data-from": term, focus };
    const number = svg("g", attributes, target, text);
    root.append(number);
    return number;
  });
  const point = ({ target }) => {
    const part = target.closest("[data-from], [data-name]")?.dataset;
    if (part) pick(part.from ?? part.name);
  };
  // Not pointerover: a page that scrolls below a mouse at rest points at nothing.
  root.addEventListener("pointermove", (event) => {
    if (event.movementX || event.movementY) point(event);
  });
  root.addEventListener("click", point);
  root.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const at = numbers.indexOf(event.target) + move + order.length;
    numbers[at % order.length].focus();
  });
  const show = (state, value, said, picked) => {
    showBars(state, value);
    numbers.forEach((number, k) => {
      number.lastChild.textContent = decimal(value[order[k]]);
      number.setAttribute("aria-label", spoken(said[order[k]]));
      number.setAttribute("tabindex", order[k] === picked ? 0 : -1);
    });
    for (const part of root.querySelectorAll("[data-from]"))
      part.classList.toggle("live-picked", part.dataset.from === picked);
  };
  return { element: root, show };
}

/** A named group of sliders. */
function group(name, rows, ...more) {
  const legend = html("legend", {}, ...typeset(name));
  return html("fieldset", {}, legend, ...rows.map((row) => row.element), ...more);
}

/** Make all controls; each changes the state by `set`. */
function controls(set, get, small) {
  const states = { x: ["x_t", 2], h: ["h_{t-1}", 1], c: ["c_{t-1}", 3] };
  const before = Object.entries(states).map(([name, [term, end]]) => {
    const change = (value) => set({ [name]: value });
    const label = { label: typeset(term), spoken: spoken(term) };
    const made = slider({ ...label, min: -end, max: end, value: 0, change });
    return { element: made.element, show: (state) => made.show(state[name]) };
  });
  if (small) return { elements: [group("What goes in", before)], shown: before };
  const layers = Object.entries(LAYERS).map(([gate, name]) => {
    const held = html("span", { class: "live-held" });
    const change = (value) => set({ [gate]: value });
    const range = { min: gate === "g" ? -1 : 0, max: 1, value: 0 };
    const label = [...typeset(`${gate}_t`), ` ${name}`, held];
    const made = slider({ label, ...range, change });
    const input = made.element.querySelector("input");
    const show = (state, value) => {
      made.show(value[`${gate}_t`]);
      held.textContent = state[gate] === FREE ? "" : ", held";
      input.setAttribute("aria-label", spoken(`${gate}_t ${name}${held.textContent}`));
    };
    made.element.classList.add("live-layer", `live-of-${gate}`);
    return { element: made.element, show };
  });
  const free = () => set(Object.fromEntries(Object.keys(LAYERS).map((gate) => [gate, FREE])));
  const weights = Object.keys(LAYERS).map((gate, k) =>
    ["W_x", "W_h", "b"].map((name) => {
      const change = (value) => set({ [name]: get()[name].flat().with(k, value) });
      const weight = name === "b" ? `b_${gate}` : `${name}${gate}`;
      const label = { label: typeset(weight), spoken: spoken(weight) };
      const made = slider({ ...label, min: -4, max: 4, value: 0, change });
      return { element: made.element, show: (state) => made.show(state[name].flat()[k]) };
    }),
  );
  const groups = Object.values(LAYERS).map((name, k) => group(name, weights[k]));
  const inside = html("div", { class: "live-cell-controls" }, ...groups);
  return {
    elements: [
      group("What goes in", before),
      group("The layers: move one to hold it", layers, button("Let all go", free)),
      html("details", {}, html("summary", {}, "The twelve weights"), inside),
    ],
    shown: [...before, ...layers, ...weights.flat()],
  };
}

/** Make the buttons of time: on by a step, with what went out as what goes in, back, and anew. */
function clock(set, get, said, restart) {
  const past = [];
  const start = get().state;
  const go = (change) => {
    set(change);
    said(past.length + 1);
  };
  const forward = () => {
    const { state, value } = get();
    past.push({ x: state.x, h: state.h, c: state.c });
    go({ x: SEQUENCES[state.sequence].x(past.length + 1), h: value.h_t, c: value.c_t });
  };
  const back = () => {
    if (past.length) go(past.pop());
  };
  const anew = () => {
    past.length = 0;
    go(start);
    restart();
  };
  const options = Object.entries(SEQUENCES).map(([value, { label }]) =>
    html("option", { value }, label),
  );
  const change = ({ target }) => set({ sequence: target.value });
  const name = "x_t in the next steps";
  const attributes = { class: "live-button", "aria-label": spoken(name), change };
  const select = html("select", attributes, ...options);
  const label = html("label", {}, ...typeset(`${name}: `), select);
  const buttons = [["Next step", forward], ["Back", back], ["Start again", anew]];
  const all = [...buttons.map(([name, click]) => button(name, click)), label];
  const show = (state) => (select.value = state.sequence);
  // Who sets what goes in begins anew: no step led there.
  const begin = (change) => {
    if (["x", "h", "c"].some((name) => name in change)) past.length = 0;
  };
  return { element: html("div", { class: "live-cell-clock" }, ...all), show, begin };
}

export default {
  render({ model, el, small }) {
    let now, pause;
    let picked = "c_t";
    const report = status();
    const line = html("p", { class: "live-cell-line" });
    const point = (term) => {
      picked = term;
      drawing.show(now.state, now.value, now.said, picked);
      line.replaceChildren(...typeset(now.said[picked]));
    };
    const drawing = picture(point);
    const set = (change) => kept.set(change);
    const { elements, shown } = controls(set, () => now.state, small);
    const kept = store({ model, el }, CELL, (state) => {
      check(state);
      const value = terms(state);
      now = { state, value, said: formulas(state, value) };
      for (const control of shown) control.show(state, value);
      point(picked);
    });
    const inWords = (step) => {
      const { f_t, c_t, h_t } = now.value;
      const after = `f = ${decimal(f_t)}, c = ${decimal(c_t)}, h = ${decimal(h_t)}`;
      return `${step ? `Step ${step}: ` : ""}x = ${decimal(now.state.x)} gives ${after}`;
    };
    const say = (step) => {
      clearTimeout(pause); // not at every press of a key: a screen reader would read them all
      pause = setTimeout(() => report.say(inWords(step)), 400);
    };
    const outcome = () => point("c_t");
    const time = clock(set, () => now, say, outcome);
    shown.push(time);
    time.show(now.state);
    const inputs = html("div", { class: "live-cell-controls", change: () => say() }, ...elements);
    el.addEventListener("live:set", ({ detail }) => {
      time.begin(detail);
      outcome();
      say();
    });
    report.say(inWords(1));
    el.append(drawing.element, line, time.element, report.element, inputs);
  },
};
