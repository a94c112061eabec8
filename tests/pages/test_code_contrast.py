"""Code is coloured, and every colour can be read on its ground."""

import pytest
from playwright.sync_api import Browser

ENOUGH = 4.5  # WCAG 2.2, 1.4.3
# By WCAG's formula: the contrast of each coloured word with the first ground under it.
CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    const alpha = channels(backgroundColor)[3] ?? 1;
    return alpha === 1 ? backgroundColor : groundOf(element.parentElement);
  };
  return [...document.querySelectorAll("article .highlight pre span")]
    .filter((span) => span.textContent.trim())
    .map((span) => {
      const lights = [getComputedStyle(span).color, groundOf(span)].map(luminance);
      const [dark, light] = lights.sort((a, b) => a - b);
      return [span.className, span.textContent, (light + 0.05) / (dark + 0.05)];
    });
}"""
# Chapters with the most kinds of words: Python, its errors, shell commands.
PAGES = [
    "notebooks/12_from_equations_to_a_kernel.html",
    "notebooks/03_gates.html",
    "book/index.html",
]
pytestmark = [pytest.mark.pages]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_word_of_code_stands_out_from_its_ground(
    browser: Browser, site: str, name: str, theme: str
) -> None:
    with browser.new_page(color_scheme=theme) as page:
        page.goto(f"{site}/{name}")
        measured = page.evaluate(CONTRASTS)
    assert measured
    pale = {(kind, text): seen for kind, text, seen in measured if seen < ENOUGH}
    assert pale == {}
