r"""A formula in one line of plain text, where nothing can be drawn: \frac{h_t}{2} is h_t/2.

Made of the MathML that the page gets, so that no sign is lost: what this module cannot write in a
line is an error.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from xml.etree import ElementTree

from mathml import to_mathml

# XML knows no other entities than these.
ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot);)\w+;")
APPLIED = "\u2061"  # between a function and what it is applied to
ROWS = ("math", "mrow", "mstyle", "mpadded")
LETTERS = ("mi", "mn", "mtext", "mo")
PARTS = {
    "msub": ("base", "sub"),
    "munder": ("base", "sub"),
    "msup": ("base", "sup"),
    "mover": ("base", "sup"),
    "msubsup": ("base", "sub", "sup"),
    "munderover": ("base", "sub", "sup"),
}
SCRIPTS = {*PARTS, "mfrac"}  # what stands beside them would run into them
# With spaces around, unless the formula is an index: MathML then gives them none.
BETWEEN = set("=≠≈≡<>≤≥≪≫∈∝∼→↦⟶⇒←↑↓+−±·⋅×⊙∘∪∣")
BEFORE_ONE = BETWEEN | set("([{⟨⌊⌈,")
ACCENTS = {"ˆ": "\u0302", "^": "\u0302", "˜": "\u0303", "~": "\u0303", "¯": "\u0304", "‾": "\u0304"}

# What needs no brackets: as an index, as a power, above and below the bar of a fraction.
INDEX = re.compile(r"[^\W_]+")
POWER = re.compile(r"−?(\d[\d.]*|[^\W\d_]+|⊤)")
ABOVE = re.compile(r"[\w.∂√′]+|\([^()]*\)")
BELOW = re.compile(r"[∂√]?(\d[\d.]*|[^\W\d_])′?(_[^\W_]+)?|\([^()]*\)")

# MathML sets a space before the name of a function, also behind a sign.
LOOSE = re.compile(r"((?:^|[(=] ?)−|[(\[/±]) ")


def _grouped(text: str, one_thing: re.Pattern[str]) -> str:
    return text if one_thing.fullmatch(text) else f"({text})"


def _operator(element: ElementTree.Element, before: str) -> str:
    sign = element.text or ""
    if sign == ",":
        return "," if element.get("rspace") == "0" else ", "  # 728,916 is one number
    is_sign_of_one = not before.strip() or before.rstrip()[-1] in BEFORE_ONE  # −1, not a − 1
    is_between = sign in BETWEEN and element.get("lspace") != "0" and not is_sign_of_one
    return f" {sign} " if is_between else sign


def _row(elements: Iterable[ElementTree.Element]) -> str:
    text = last = ""
    for element in elements:
        if element.tag == "mo":
            text += _operator(element, text)
        else:
            piece = _line(element)
            is_beside = last in SCRIPTS and piece[:1] not in ")]}|‖"
            text += f" {piece}" if is_beside else piece
        last = element.tag
    return re.sub(r" +", " ", text)


def _with_scripts(base: str, sub: str = "", sup: str = "") -> str:
    if set(sup) <= {"′", "″"}:
        base, sup = base + sup, ""
    below = f"_{_grouped(sub, INDEX)}" if sub else ""
    above = f"^{_grouped(sup, POWER)}" if sup else ""
    return base + below + above


def _line(element: ElementTree.Element) -> str:
    """Return an element in one line; KeyError where there is no way to."""
    tag = element.tag
    if tag in LETTERS:
        # The bold and the hollow letters of mathematics are words' letters here.
        return "".join(
            unicodedata.normalize("NFKC", sign) if sign.isalpha() else sign
            for sign in element.text or ""
        )
    if tag == "mspace":
        return " "
    if tag in ROWS:
        return _row(element)
    if tag == "msqrt":
        return f"√{_grouped(_row(element).strip(), BELOW)}"
    parts = [_line(part).strip() for part in element]
    if tag == "mfrac":
        is_half = parts == ["1", "2"]
        return "½" if is_half else f"{_grouped(parts[0], ABOVE)}/{_grouped(parts[1], BELOW)}"
    if element.get("accent") == "true":
        return unicodedata.normalize("NFC", parts[0] + ACCENTS[parts[1]])
    text = _with_scripts(**dict(zip(PARTS[tag], parts, strict=True)))
    return f"{text} " if parts[0] in "∑∏" else text


def to_plain(tex: str) -> str:
    """Return `tex` as plain text in one line; ValueError where that would lose something."""
    mathml = ENTITY.sub(lambda m: html.unescape(m[0]), to_mathml(tex, display=False))
    try:
        text = _line(ElementTree.fromstring(mathml))
    except KeyError as error:
        raise ValueError(
            f"tex must be a formula that can be written in a line, got {tex!r}, "
            f"where {error.args[0]!r} is unknown to {__name__}.py"
        ) from error
    text = " ".join(text.replace(f"{APPLIED}(", "(").replace(APPLIED, " ").split())
    return LOOSE.sub(r"\1", text)
