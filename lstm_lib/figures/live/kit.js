// What the live figures share: elements, controls, and where the state of a figure lives.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Make an SVG element; an attribute whose value is a function is a listener for that event. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Make an HTML element, in the same way. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Write a number with so many decimals and a true minus sign, never as −0.00. */
export function decimal(value, digits = 2) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * Make a slider with its name and its value; `change` is called with every new value.
 *
 * `spoken` is the name for screen readers, where they would run letters of `label` together.
 */
export function slider({ label, spoken, min, max, step = 0.01, value, digits = 2, change }) {
  const input = html("input", { type: "range", min, max, step, value, "aria-label": spoken });
  const shown = html("output", { "aria-hidden": "true" }); // the slider itself is read out
  const show = (number) => {
    input.value = number;
    shown.textContent = decimal(number, digits);
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  show(value);
  input.addEventListener("input", () => {
    show(input.valueAsNumber);
    change(input.valueAsNumber);
  });
  const name = html("span", { class: "live-name" }, ...[label].flat());
  return { element: html("label", { class: "live-slider" }, name, input, shown), show };
}

/** Make a button. */
export function button(label, click, attributes = {}) {
  return html("button", { type: "button", class: "live-button", click, ...attributes }, label);
}

/** Make a line that screen readers read out when it changes. */
export function status() {
  const element = html("p", { class: "live-status", role: "status" });
  const say = (text) => {
    // A screen reader reads a text again each time it is written.
    if (text !== element.textContent) element.textContent = text;
  };
  return { element, say };
}

/** Read the state that a link sets: "f=0 i=1 x=1,0,2" is {f: 0, i: 1, x: [1, 0, 2]}. */
export function parse(text) {
  const read = (word) => (word !== "" && Number.isFinite(Number(word)) ? Number(word) : word);
  const pairs = text.trim().split(/\s+/).map((pair) => {
    const [key, value = ""] = pair.split("=");
    const values = value.split(",").map(read);
    return [key, values.length > 1 ? values : values[0]];
  });
  return Object.fromEntries(pairs);
}

/**
 * Keep the state of a figure and draw it now and after every change.
 *
 * A change comes from the figure's own controls (`set`), from a link of the page, or from Python:
 * in JupyterLab the state is the widget's `state`, on the page it lives as long as the page.
 */
export function store({ model, el }, defaults, draw) {
  let state = { ...defaults };
  const take = (change) => {
    const unknown = Object.keys(change).filter((key) => !(key in defaults));
    if (unknown.length)
      throw new Error(`no state ${unknown}: this figure has ${Object.keys(defaults)}`);
    const next = { ...state, ...change };
    draw(next); // throws where a number is none of this figure's: then the state stays as it was
    state = next;
  };
  const set = (change) => {
    take(change);
    model?.set("state", state);
    model?.save_changes();
  };
  el.addEventListener("live:set", (event) => set(event.detail));
  draw(state);
  if (model) {
    // What Python sent may be wrong: say so where the reader looks, and stay as it was.
    const complaint = html("p", { class: "live-complaint", role: "alert" });
    const read = () => {
      complaint.textContent = "";
      try {
        take(model.get("state"));
      } catch (error) {
        complaint.textContent = error.message;
      }
    };
    el.prepend(complaint);
    model.on("change:state", read);
    read();
    if (!complaint.textContent) set({}); // so Python, too, knows all of the state
  }
  return { get: () => state, set };
}

/** Bring a figure into view; where that moves the page, "back" returns to where the reader was. */
function bringIntoView(el, place) {
  const { top, bottom, height } = el.getBoundingClientRect();
  const header = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
  if (top >= header && bottom <= innerHeight) return;
  history.pushState(null, "", `#${place.id}`);
  el.scrollIntoView({ block: height > innerHeight - header ? "start" : "nearest" });
}

/** On a page: put a figure in the place of each picture that is marked for it. */
export function mount(name, figure) {
  for (const place of document.querySelectorAll(`figure.live-${name}`)) {
    const el = html("div", { class: "live" });
    // First outside of the page: if the figure fails, the picture stays.
    figure.render({ model: null, el, small: place.classList.contains("live-small") });
    place.prepend(el);
    place.classList.add("live-on");
    for (const link of document.querySelectorAll(`a:not(.headerlink)[href="#${place.id}"][title]`)) {
      link.classList.add("live-link");
      link.dataset.state = link.title;
      link.removeAttribute("title"); // which browsers would show, and screen readers say
      link.addEventListener("click", (event) => {
        event.preventDefault();
        el.dispatchEvent(new CustomEvent("live:set", { detail: parse(link.dataset.state) }));
        bringIntoView(el, place);
      });
    }
  }
}
