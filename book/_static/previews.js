// Shows the preview of a link under the mouse and on keyboard focus (WCAG 1.4.13): Escape takes it
// away, the mouse may move onto it, and it stays until the mouse or the focus leaves.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const OPEN_AFTER = 300;
  const CLOSE_AFTER = 200;
  let shown = null;
  let timer = 0;

  function hide() {
    clearTimeout(timer);
    shown?.preview.hidePopover();
    shown = null;
  }

  function show(link, preview) {
    hide();
    preview.showPopover();
    shown = { link, preview };
    place();
  }

  // Below the word, or above it where there is no room; within the window.
  function place() {
    if (!shown) return;
    const { link, preview } = shown;
    const word = link.getClientRects()[0];
    const { width, height } = preview.getBoundingClientRect();
    const left = Math.min(word.left, document.documentElement.clientWidth - width - 8);
    const fitsBelow = word.bottom + height + 8 < innerHeight;
    preview.style.left = `${Math.max(8, left)}px`;
    preview.style.top = `${Math.max(8, fitsBelow ? word.bottom + 4 : word.top - height - 4)}px`;
  }

  function later(wait, act) {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  }

  function connect(link, preview) {
    link.setAttribute("aria-describedby", preview.id);
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") later(OPEN_AFTER, () => show(link, preview));
    });
    link.addEventListener("pointerleave", () => later(CLOSE_AFTER, hide));
    link.addEventListener("focus", () => {
      if (link.matches(":focus-visible")) show(link, preview);
    });
    link.addEventListener("blur", hide);
  }

  for (const preview of document.querySelectorAll(".preview[popover]")) {
    for (const link of document.querySelectorAll(`main a[href="${preview.dataset.for}"]`)) {
      connect(link, preview);
    }
    preview.addEventListener("pointerenter", () => clearTimeout(timer));
    preview.addEventListener("pointerleave", () => later(CLOSE_AFTER, hide));
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  // To focus a link may scroll the page, or the box of a table, under the preview.
  addEventListener("scroll", place, { capture: true, passive: true });
});
