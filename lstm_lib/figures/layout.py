"""Where the operations of one step stand, and the way each arrow takes between them.

The cell state runs along the top. x_t joins h_{t-1} on a line along the bottom, which feeds the
layers from below; h_t leaves at the bottom right, to the next step and, as y_t, downwards. Laid
out so, no two arrows cross.
"""

from dataclasses import dataclass

from .equations import shift
from .svg import Point, straightened

RADIUS = 16.0  # of ⊗ and ⊕, at most

CARRY, PRODUCT, SQUASH, READ, LAYER, BUS, PORT = 92.0, 172.0, 150.0, 216.0, 284.0, 364.0, 432.0
FRAME_TOP, FRAME_BOTTOM = 48.0, 396.0
RNN_LINE, RNN_PORT = 130.0, 236.0


@dataclass(frozen=True)
class Place:
    """The centre of an operation and half its extent."""

    x: float
    y: float
    half_width: float = 0.0
    half_height: float = 0.0


@dataclass(frozen=True)
class Step:
    """One repeated module between `left` and `right`, and the quantities' places in it."""

    left: float
    right: float
    top: float
    bottom: float
    places: dict[str, Place]


def lstm_step(left: float, right: float, steps: int = 0) -> Step:
    """Places of the LSTM's operations in a module of that width, named for time t + `steps`."""
    width = right - left
    shares = {"x": 0.05, "f": 0.145, "i": 0.335, "g": 0.525, "o": 0.715, "read": 0.895}
    at = {letter: left + share * width for letter, share in shares.items()}
    # A narrow module, faded beside the one in view, has smaller shapes.
    box = (min(32.0, 0.082 * width), 23.0)
    pill = (min(34.0, 0.085 * width), min(17.0, 0.085 * width))
    circle = (min(RADIUS, 0.07 * width),) * 2
    places = {
        "x_t": Place(at["x"], PORT),
        **{f"{letter}_t": Place(at[letter], LAYER, *box) for letter in "figo"},
        "f_t ⊙ c_{t-1}": Place(at["f"], CARRY, *circle),
        "i_t ⊙ g_t": Place(at["g"], PRODUCT, *circle),
        "c_t": Place(at["g"], CARRY, *circle),
        "tanh(c_t)": Place(at["read"], SQUASH, *pill),
        "h_t": Place(at["read"], READ, *circle),
        "y_t": Place(at["read"], PORT),
    }
    return _at_time(Step(left, right, FRAME_TOP, FRAME_BOTTOM, places), steps)


def rnn_step(left: float, right: float, steps: int = 0) -> Step:
    """Places of the plain RNN's operations in a module of that width, for time t + `steps`."""
    width = right - left
    places = {
        "x_t": Place(left + 0.16 * width, RNN_PORT),
        "h_t": Place(left + 0.5 * width, RNN_LINE, min(40.0, 0.2 * width), 25.0),
        "y_t": Place(left + 0.84 * width, RNN_PORT),
    }
    return _at_time(Step(left, right, 60.0, 200.0, places), steps)


def _at_time(step: Step, steps: int) -> Step:
    places = {shift(name, steps): place for name, place in step.places.items()}
    return Step(step.left, step.right, step.top, step.bottom, places)


def route(a: Place, b: Place) -> list[Point]:
    """The way of an arrow from the rim of `a` to the rim of `b`, along axis-parallel segments."""
    if b.y == LAYER:  # into a layer, from below, by way of the line along the bottom
        way = [(a.x, a.y), (a.x, BUS), (b.x, BUS), (b.x, b.y)]
    elif a.y == READ and b.y == BUS:  # h_t to the next step
        way = [(a.x, a.y), (a.x, BUS), (b.x, b.y)]
    elif a.y in (LAYER, PORT, RNN_PORT):  # up, then across
        way = [(a.x, a.y), (a.x, b.y), (b.x, b.y)]
    else:  # across, then down
        way = [(a.x, a.y), (b.x, a.y), (b.x, b.y)]
    way = straightened(way)
    return [_rim(a, way[1]), *way[1:-1], _rim(b, way[-2])]


def _rim(place: Place, towards: Point) -> Point:
    """Where the straight line from the centre of `place` to `towards` leaves it."""
    dx, dy = towards[0] - place.x, towards[1] - place.y
    if dy == 0:
        return (place.x + (place.half_width if dx > 0 else -place.half_width), place.y)
    return (place.x, place.y + (place.half_height if dy > 0 else -place.half_height))
