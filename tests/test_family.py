"""Designs: what they refuse, and the counts of weights and products."""

import numpy as np
import pytest

from lstm_lib.family import FAMILY, Design, multiplications_by_weights, number_of_weights
from lstm_lib.numpy_cells import gru, variant


@pytest.mark.parametrize(
    ("name", "weights", "products"),
    [
        ("LSTM", 4 * (6 + 8 + 1) * 8, 4 * (6 + 8) * 8),
        ("CIFG", 3 * (6 + 8 + 1) * 8, 3 * (6 + 8) * 8),
        ("peepholes", 4 * (6 + 8 + 1) * 8 + 3 * 8, 4 * (6 + 8) * 8 + 3 * 8),
        ("FGR", 4 * (6 + 8 + 1) * 8 + 9 * 64, 4 * (6 + 8) * 8 + 9 * 64),
        ("layer norm", 4 * (6 + 8 + 1) * 8 + 10 * 8, 4 * (6 + 8) * 8 + 9 * 8),
    ],
)
def test_weights_and_products_are_counted_from_the_arrays(
    name: str, weights: int, products: int
) -> None:
    params = variant.init_params(np.random.default_rng(0), 6, 8, FAMILY[name])
    assert number_of_weights(params) == weights
    assert multiplications_by_weights(params) == products


def test_the_second_bias_of_a_gru_multiplies_nothing() -> None:
    params = gru.init_params(np.random.default_rng(0), 6, 8)
    assert number_of_weights(params) - multiplications_by_weights(params) == 4 * 8


@pytest.mark.parametrize("parts", [{"input_gate": False}, {"forget_gate": False}], ids=str)
def test_a_design_refuses_to_couple_a_gate_that_is_missing(parts: dict) -> None:
    with pytest.raises(ValueError, match="coupled must be False where"):
        Design(coupled=True, **parts)


@pytest.mark.parametrize(
    ("parts", "kind", "message"),
    [
        ({"peepholes": 1}, TypeError, "peepholes must be True or False, got 1"),
        ({"projection": 2.0}, TypeError, "projection must be an integer, got 2.0"),
        ({"projection": -1}, ValueError, "projection must be 0 or the number of units, got -1"),
    ],
)
def test_a_design_names_the_part_that_is_wrong(
    parts: dict, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Design(**parts)
