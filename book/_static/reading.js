// Paper in the light colours with all pictures, a mark at the chapters that were read, and focus that stays.
"use strict";

// Both events, since a browser may send one without the other; each is answered at most once.
const paper = matchMedia("print");
let screenTheme = null;
function onPaper(printing) {
  const { dataset } = document.documentElement;
  if (printing && screenTheme === null) {
    screenTheme = dataset.theme;
    dataset.theme = "light";
  } else if (!printing && screenTheme !== null) {
    dataset.theme = screenTheme;
    screenTheme = null;
  }
}
paper.addEventListener("change", () => onPaper(paper.matches));
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));

// Printing does not wait for pictures that nobody has scrolled to, nor for those that live figures
// stand before. So when all else is there, they come too, those in the colours of paper.
addEventListener("load", () => {
  for (const picture of document.querySelectorAll("article img:not(.only-dark)")) {
    picture.loading = "eager";
  }
});

// The names of the pages that were read, kept in this browser and nowhere else. Where it keeps
// nothing (private windows, a setting), a mark lasts as long as the page.
const KEY = "chapters read";
function load() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  } catch {
    return new Set();
  }
}
function save(read) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...read]));
  } catch {
    // Nothing to be done.
  }
}

// The page that an address leads to: its last part, without an anchor.
const pageOf = (href) => new URL(href, location).pathname.split("/").pop();

function showMarks(read) {
  for (const mark of document.querySelectorAll(".read-mark")) mark.remove();
  for (const link of document.querySelectorAll(".bd-sidenav a, #the-chapters td:nth-child(2) a")) {
    if (!read.has(pageOf(link.href))) continue;
    const mark = document.createElement("span");
    mark.className = "read-mark";
    mark.role = "img";
    mark.ariaLabel = "read";
    mark.textContent = "✓";
    link.append(" ", mark);
  }
}

function offerMark(read) {
  const label = document.createElement("label");
  label.className = "mark-as-read";
  const box = label.appendChild(document.createElement("input"));
  box.type = "checkbox";
  box.checked = read.has(pageOf(location.href));
  label.append(" I have read this chapter (kept in this browser only)");
  box.addEventListener("change", () => {
    read[box.checked ? "add" : "delete"](pageOf(location.href));
    save(read);
    showMarks(read);
  });
  document.querySelector("article").append(label);
}

document.addEventListener("DOMContentLoaded", () => {
  const read = load();
  showMarks(read);
  if (document.querySelector(".reading-time")) offerMark(read);
});

// The theme takes the focus off these buttons when they are pressed; who pressed them with the
// keyboard (no clicks are counted) goes on from there.
document.addEventListener("click", ({ target, detail }) => {
  if (detail === 0) target.closest(".theme-switch-button, .sidebar-toggle")?.focus();
});
