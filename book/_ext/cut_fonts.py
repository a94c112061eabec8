"""The part of a font that draws what the book shows, for browsers."""

import logging
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from fontTools import subset, ttLib

# It tells of each table of a font that it has cut.
logging.getLogger("fontTools").setLevel(logging.WARNING)


def cut_font(path: Path, letters: Iterable[int], features: Iterable[str] = ()) -> bytes:
    """Return the part of the TrueType font at `path` that draws these code points, as WOFF.

    All names stay, which hold the licence; of the OpenType features, the ones named.
    """
    # With the time of now in it, no two builds would be the same.
    font = ttLib.TTFont(path, recalcTimestamp=False)
    options = subset.Options(
        layout_features=list(features), name_IDs=["*"], notdef_outline=True, hinting=False
    )
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=letters)
    cutter.subset(font)
    font.flavor = "woff"
    cut = BytesIO()
    font.save(cut)
    return cut.getvalue()
