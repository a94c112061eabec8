"""Where the built book lies."""

from pathlib import Path

BOOK = Path(__file__).parents[2] / "_build" / "html"
