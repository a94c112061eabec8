"""The pictures of the traces of trained nets, drawn from the data of the live figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_lib.figures import COLOURS, Diagram, svg
from lstm_lib.figures.style import INK, STRONG_GREY, WHITE
from lstm_lib.numpy_cells import lstm
from tools.live_text import BACK, GUESSES

LETTERS = "ABCDwxyz"  # as in recall.js: the symbols, then the distractors
SEQUENCE = "Bzyxxwzywxzzywxyxwzy"
MONO = "DejaVu Sans Mono, Menlo, Consolas, monospace"
WIDTH = 680.0


def run_recall(data: dict[str, Any], *, shut: bool) -> tuple[str, NDArray[np.float64]]:
    """What the recall net says after each step, and its c (T, H); shut: i = 0 from step 2 on."""
    W_x, W_h, b, W_y, b_y = (np.array(data[name]) for name in ("W_x", "W_h", "b", "W_y", "b_y"))
    x = np.eye(len(LETTERS))[[LETTERS.index(letter) for letter in SEQUENCE]][:, None]
    first = lstm.forward(lstm.Params(W_x, W_h, b), x[:1])
    if shut:
        b = b - 1000 * (np.arange(len(b)) < len(W_h))
    rest = lstm.forward(lstm.Params(W_x, W_h, b), x[1:], (first.h[1], first.c[1]))
    h, c = (np.concatenate([getattr(first, s)[1:], getattr(rest, s)[1:]])[:, 0] for s in "hc")
    return "".join("ABCD"[k] for k in (h @ W_y + b_y).argmax(1)), c


def recall_still(data: dict[str, Any]) -> Diagram:
    """A sequence, what the net says after each step, and the size of its memory."""
    (free, c_free), (shut, c_shut) = (run_recall(data, shut=shut) for shut in (False, True))
    x = np.linspace(190, WIDTH - 24, len(SEQUENCE))
    body: list[str] = []
    for n, (name, letters) in enumerate(
        {"input": SEQUENCE, "net says": free, "i shut: says": shut}.items()
    ):
        body.append(svg.text(name, (12, 22 + 30 * n), 20, INK, anchor="start", family=svg.SANS))
        for place, letter in zip(x, letters, strict=True):
            body.append(svg.text(letter, (place, 22 + 30 * n), 20, INK, family=MONO))
    sizes = [np.abs(c).mean(1) for c in (c_free, c_shut)]
    top, bottom = 130.0, 270.0
    for size, dash in zip(sizes, ("none", "2 4"), strict=True):
        y = bottom - (bottom - top) * size / sizes[0].max()
        points = " ".join(f"{svg.number(a)},{svg.number(b)}" for a, b in zip(x, y, strict=True))
        look = svg.attributes(
            points=points, fill="none", stroke=COLOURS["c"], stroke_width=3, stroke_dasharray=dash
        )
        body.append(f"<polyline{look}/>")
    ends = (f"mean |c| {sizes[0][-1]:.1f}", f"i shut: {sizes[1][-1]:.2f}")
    body.append(svg.text(ends[0], (12, top), 20, INK, anchor="start", family=svg.SANS))
    body.append(svg.text(ends[1], (12, bottom), 20, INK, anchor="start", family=svg.SANS))
    title = "The recall net on one sequence, whole and with its input gates shut"
    description = f"Input {SEQUENCE}. Said {free}; with the input gates shut from step 2 on {shut}."
    return Diagram(title, svg.document(WIDTH, 290, title, description, body, WHITE), frozenset())


def text_still(data: dict[str, Any]) -> Diagram:
    """The passage, with a bar under each character that matters to the guess shown first."""
    guess_after, digits = data["first"], data["digits"]
    lines = data["text"].split("\n")
    each = (WIDTH - 24) / max(map(len, lines))
    row = data["mattered"][BACK * guess_after : BACK * (guess_after + 1)]
    shares = {
        guess_after - BACK + 1 + n: digits.index(digit) / (len(digits) - 1)
        for n, digit in enumerate(row)
    }
    body: list[str] = []
    start = 0
    for n, line in enumerate(lines):
        y = 20.0 + 26 * n
        if line:
            body.append(_line(line, y, each))
        body += _bars(start, line, shares, y + 9, each)
        if start <= guess_after < start + len(line):
            box = svg.attributes(
                x=12 + each * (guess_after - start), y=y - 11, width=each, height=20
            )
            body.append(f'<rect{box} fill="none" stroke="{INK}" stroke-width="1.5"/>')
        start += len(line) + 1
    read, guess = data["text"][guess_after], data["guesses"][guess_after * GUESSES]
    title = "What matters to one guess"
    what = f"the guess {guess!r} after {read!r}"
    description = f"A passage of a play, with bars under the characters that matter to {what}."
    picture = svg.document(WIDTH, 26 * len(lines) + 10, title, description, body, WHITE)
    return Diagram(title, picture, frozenset())


def _line(line: str, y: float, each: float) -> str:
    """A line of letters that are as wide as `each`, in whatever font."""
    place = svg.attributes(
        x=12, y=y + 5, fill=INK, font_family=MONO, font_size=17, textLength=each * len(line)
    )
    return f"<text{place}>{svg.escape(line)}</text>"


def _bars(
    start: int, line: Sequence[str], shares: dict[int, float], y: float, each: float
) -> list[str]:
    """A bar under each character of a line that matters."""
    found = ((n, shares.get(start + n, 0)) for n in range(len(line)))
    return [
        f"<rect{svg.attributes(x=12 + each * n, y=y, width=each - 1, height=8 * share)} "
        f'fill="{STRONG_GREY}"/>'
        for n, share in found
        if share > 0.05
    ]
