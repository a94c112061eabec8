// What test_every_page.py asks of a page, put into it before its own scripts run.

const isSeen = (e) => e.checkVisibility() && e.getBoundingClientRect().width > 0;
const start = (e) => e.outerHTML.slice(0, 200);

// What depends on the theme and the width.
function lookAtView() {
  const pictures = [...document.images];
  const scrolls = (e) =>
    e.scrollWidth > e.clientWidth + 1 &&
    ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  const hasFocus = (e) => e.tabIndex >= 0 || e.querySelector("a, button, input, [tabindex]");
  return {
    page_width: document.documentElement.scrollWidth,
    pictures_of_themes: pictures
      .filter(isSeen)
      .flatMap((e) => ["only-light", "only-dark"].filter((name) => e.classList.contains(name))),
    unnamed_pictures: pictures.filter((e) => !e.alt.trim()).map(start),
    missing_pictures: pictures
      .filter((e) => isSeen(e) && e.complete && !e.naturalWidth)
      .map((e) => e.src),
    scrollers_without_focus: [...document.querySelectorAll("main *")]
      .filter((e) => isSeen(e) && scrolls(e) && !hasFocus(e))
      .map(start),
  };
}

// Pictures come when a reader scrolls near them: here they all come now, or are found missing.
// The theme's scripts follow a new width a moment later; what is wrong then stays wrong.
async function settled() {
  for (const picture of document.images) picture.loading = "eager";
  await Promise.allSettled([...document.images].map((picture) => picture.decode()));
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  await pause(200);
  for (let k = 0; k < 40; k++) {
    const view = lookAtView();
    if (!view.scrollers_without_focus.length && view.page_width <= innerWidth) return;
    await pause(100);
  }
}

// What is the same in every theme and width.
function lookAtWhole() {
  const words = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const tex = [];
  while (words.nextNode()) {
    if (!words.currentNode.parentElement.closest("pre, code, script")) {
      tex.push(...(words.currentNode.data.match(/\\[a-zA-Z]{2,}.{0,40}|\$[^$\n]+\$/g) ?? []));
    }
  }
  const pictures = [...document.querySelectorAll("main .bd-article img[src$='.svg']")];
  const alts = (fits) => pictures.filter(fits).map((e) => e.alt);
  const isLight = (e) => e.classList.contains("only-light");
  const isDark = (e) => e.classList.contains("only-dark");
  return {
    links: [...document.querySelectorAll("a[href]")]
      .map((e) => e.getAttribute("href"))
      .filter((href) => href !== "#" && !/^([a-z]+:|\/\/)/.test(href)),
    tex,
    letters: [...new Set([...document.querySelectorAll("math")].flatMap((e) => [...e.textContent]))],
    figures: {
      light: alts(isLight),
      dark: alts(isDark),
      both: alts((e) => isLight(e) === isDark(e)),
    },
  };
}

// The first element of each look: contrast is the same for all words of one colour, ground, size
// and weight, and to ask it of every word of a chapter takes axe-core ten seconds.
function oneOfEachLook() {
  const ground = (e) => {
    const colour = e && getComputedStyle(e).backgroundColor;
    return !e || !/, 0\)$/.test(colour) ? colour : ground(e.parentElement);
  };
  const hasWords = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const looks = new Map();
  for (const e of document.querySelectorAll("body *")) {
    if (!hasWords(e) || !e.checkVisibility()) continue;
    const s = getComputedStyle(e);
    const look = [s.color, ground(e), s.fontSize, s.fontWeight, s.opacity, e.className].join("|");
    if (!looks.has(look)) looks.set(look, e);
  }
  return [...looks.values()];
}

// Needs axe-core on the page. Returns what it finds, each with rule and element.
async function askAxe() {
  const common = { resultTypes: ["violations"], preload: false };
  const rules = {
    "color-contrast": { enabled: false },
    // Off by default: one because it is of WCAG 2.2, the other because it is called experimental.
    "target-size": { enabled: true },
    "label-content-name-mismatch": { enabled: true },
  };
  const runs = [
    await axe.run(document, { ...common, rules }),
    await axe.run({ include: oneOfEachLook() }, { ...common, runOnly: ["color-contrast"] }),
  ];
  return runs
    .flatMap((run) => run.violations)
    .flatMap((v) =>
      v.nodes.map((n) => {
        const element = n.target.flat().join(" ");
        return `${v.id} at ${element}: ${n.html}\n${n.failureSummary}`;
      }),
    );
}

// Put into the page by a script of Playwright's, where names are local.
Object.assign(window, { settled, lookAtView, lookAtWhole, askAxe });
