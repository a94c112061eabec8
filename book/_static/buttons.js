// Two buttons of the theme that had inline event handlers, which the pages' policy forbids.
document.addEventListener("click", ({ target }) => {
  if (target.closest(".btn-download-pdf-button")) print();
  if (target.closest(".btn-fullscreen-button")) {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  }
});
