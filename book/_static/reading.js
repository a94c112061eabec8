// Reading aids: paper in the light colours.

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
