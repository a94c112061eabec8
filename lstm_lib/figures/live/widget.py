"""A live figure in JupyterLab, over values of the kernel."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_lib.figures import live

if TYPE_CHECKING:
    from anywidget import AnyWidget


#: What each figure keeps: the names that its state may have.
STATE = {
    "cell": ("x", "h", "c", "W_x", "W_h", "b", "i", "f", "g", "o", "sequence"),
    "highway": ("b", "z", "radius", "x", "k"),
    "latch": ("challenge", "keep", "i", "f", "o"),
    "meter": ("symbol", "lag", "radius", "orthogonal", "bias", "closed", "seed"),
    "recall": ("seq", "unit", "t", "clamp"),
    "text": ("k", "unit", "show"),
}


def widget(name: str, **state: Any) -> "AnyWidget":
    """Return the figure `name` as a widget that starts from `state`, as `f=0` or `x=2`.

    Arrays may stand for lists: `widget("cell", **params._asdict())` takes the weights of an LSTM
    with D = H = 1. Once the figure is shown, all of its state is in the widget's `state`, as the
    reader moves it; `w.state = {"x": 2}` moves it from Python, and leaves the rest as it is.

    Raises ValueError for an unknown figure, for a name that its state does not have and for
    numbers that are not finite, ImportError where anywidget is not installed. Numbers out of its
    range the figure itself refuses.
    """
    module = live.module(name)
    try:
        from anywidget import AnyWidget
    except ImportError as error:
        raise ImportError(
            "live figures in JupyterLab need anywidget: pip install anywidget"
        ) from error
    import traitlets

    class LiveFigure(AnyWidget):
        _esm = module
        _css = live.CSS.read_text(encoding="utf-8")
        state = traitlets.Dict().tag(sync=True)

        @traitlets.validate("state")
        def _merged(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
            # Refused here, since what is merged stays.
            if unknown := [key for key in proposal["value"] if key not in STATE[name]]:
                raise ValueError(
                    f"{name} has no state {', '.join(map(repr, unknown))}; "
                    f"there are: {', '.join(STATE[name])}"
                )
            change = {key: _listed(key, value) for key, value in proposal["value"].items()}
            return {**self.state, **change}

    made = LiveFigure(state=state)
    made.add_class("live")  # the style's
    return made


def _listed(key: str, value: Any) -> Any:
    """Return `value` as JSON has it, an array as nested lists."""
    if isinstance(value, str):
        return value
    refused = f"{key} must be text, or numbers that are finite, got {value!r}"
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of several lengths
        raise ValueError(refused) from error
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(refused)
    # JavaScript has a type of its own for truth, which is no number there.
    return (array.astype(int) if array.dtype.kind == "b" else array).tolist()
