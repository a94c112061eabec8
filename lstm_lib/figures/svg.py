"""The few shapes that diagrams are made of, as SVG text: no fonts, scripts or ids.

Coordinates are pixels, x to the right and y down. Ids are avoided because two pictures on one
page would share them.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

Point = tuple[float, float]

SERIF = "STIX Two Text, Times New Roman, Times, Liberation Serif, serif"
SANS = "Helvetica Neue, Arial, Liberation Sans, sans-serif"


def document(
    width: float, height: float, title: str, description: str, body: list[str], background: str
) -> str:
    """A whole picture, with what a screen reader says of it."""
    w, h = number(width), number(height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}" '
            f'width="{w}" height="{h}" style="max-width:100%;height:auto">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(description)}</desc>",
            f'<rect width="{w}" height="{h}" fill="{background}"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def number(value: float) -> str:
    """A coordinate with at most one decimal, the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")


def attributes(**values: str | float) -> str:
    """name="value" for each; an underscore in a name is a hyphen in SVG."""
    return "".join(
        f" {name.rstrip('_').replace('_', '-')}="
        + quoteattr(value if isinstance(value, str) else number(value))
        for name, value in values.items()
    )


def arrow(points: Sequence[Point], colour: str, width: float, source: str, target: str) -> str:
    """An arrow along axis-parallel segments with rounded corners, its head at the last point."""
    head = 7 + 1.7 * width
    (ax, ay), (bx, by) = points[-2:]
    length = abs(bx - ax) + abs(by - ay)
    ux, uy = (bx - ax) / length, (by - ay) / length
    neck = (bx - ux * head, by - uy * head)
    # The line stops inside the head, so that its blunt end does not show beside the tip.
    line = [*points[:-1], (neck[0] + ux, neck[1] + uy)]
    half = head * 0.48
    corners = [
        (bx, by),
        (neck[0] - uy * half, neck[1] + ux * half),
        (neck[0] + uy * half, neck[1] - ux * half),
    ]
    tip = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
    return (
        f"<g{attributes(class_='edge', data_from=source, data_to=target)}>"
        f"<path{attributes(d=rounded(line, 12), fill='none', stroke=colour, stroke_width=width)}/>"
        f"<polygon{attributes(points=tip, fill=colour)}/></g>"
    )


def rounded(points: Sequence[Point], radius: float) -> str:
    """Path data of a polyline whose corners are quarter arcs."""
    path = f"M{number(points[0][0])} {number(points[0][1])}"
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        r = min(radius, (abs(bx - ax) + abs(by - ay)) / 2, (abs(cx - bx) + abs(cy - by)) / 2)
        before = (bx + r * sign(ax - bx), by + r * sign(ay - by))
        after = (bx + r * sign(cx - bx), by + r * sign(cy - by))
        path += (
            f"L{number(before[0])} {number(before[1])}"
            f"Q{number(bx)} {number(by)} {number(after[0])} {number(after[1])}"
        )
    return path + f"L{number(points[-1][0])} {number(points[-1][1])}"


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


def straightened(points: Sequence[Point]) -> list[Point]:
    """The same polyline without repeated points and without points inside a straight run."""
    kept = [points[0]]
    kept += [b for a, b in pairwise(points) if a != b]
    return [
        b
        for k, b in enumerate(kept)
        if k in (0, len(kept) - 1)
        or not (
            kept[k - 1][0] == b[0] == kept[k + 1][0] or kept[k - 1][1] == b[1] == kept[k + 1][1]
        )
    ]


def quantity(name: str, at: Point, size: float, colour: str, anchor: str = "middle") -> str:
    """A quantity such as h_{t-1}, in italics with its subscript, centred on the height of `at`."""
    base, _, subscript = name.partition("_")
    subscript = subscript.strip("{}").replace("-", "−")
    place = attributes(
        class_="label",
        data_label=name,
        x=at[0],
        y=at[1] + 0.26 * size,
        fill=colour,
        font_family=SERIF,
        font_size=size,
        font_style="italic",
        text_anchor=anchor,
    )
    # 1.0-wide characters and a raised minus would touch at small sizes without the extra dx.
    tspan = f'<tspan dx="1" dy="{number(0.2 * size)}" font-size="{number(0.72 * size)}">'
    return f"<text{place}>{escape(base)}{tspan}{escape(subscript)}</tspan></text>"


def text(
    words: str,
    at: Point,
    size: float,
    colour: str,
    *,
    anchor: str = "middle",
    family: str = SERIF,
    kind: str = "operator",
    weight: str = "normal",
) -> str:
    """Upright words, centred on the height of `at`."""
    place = attributes(
        class_=kind,
        x=at[0],
        y=at[1] + 0.32 * size,
        fill=colour,
        font_family=family,
        font_size=size,
        font_weight=weight,
        text_anchor=anchor,
    )
    return f"<text{place}>{escape(words)}</text>"


def number_text(value: float) -> str:
    """A value as printed on an arrow: two decimals, a true minus, no minus before zero."""
    shown = f"{value:.2f}"
    return (shown.removeprefix("-") if float(shown) == 0 else shown).replace("-", "−")


_SUBSCRIPT = re.compile(r"_\{?(t(?:[+-]\d)?)\}?")


def plain(name: str) -> str:
    """A name for a description that is read aloud: h_{t-1} is "h t−1"."""
    return _SUBSCRIPT.sub(lambda m: " " + m[1].replace("-", "−"), name)
