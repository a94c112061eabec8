"""Character n-grams with Witten–Bell smoothing: the baseline of a language model.

P(s | context) = (count(context s) + w · kinds(context) · P(s | shorter context))
                 / (count(context) + w · kinds(context))

with w = 1. A larger weight w of the shorter context trusts rare contexts less and can be tuned.
kinds(context): how many different symbols ever followed it. The shortest context, none, falls back
on 1/V; a context that was never seen gives its chances over to the shorter one. (Witten & Bell
1991, method C, interpolated as in Chen & Goodman 1999, section 2.4.)
"""

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.integer]


class NGram:
    """Counts of all sequences of up to `order` symbols in `tokens` (N,), integers 0 … V − 1.

    Order 1 knows how frequent a symbol is, order n looks at the n − 1 before it. Raises ValueError
    for an order below 1, a weight that is not positive, too few tokens, or V**order beyond 2**64.
    """

    def __init__(self, tokens: Tokens, V: int, order: int, *, weight: float = 1.0) -> None:
        tokens = _checked(tokens, V)
        if order < 1 or V**order >= 2**64:
            raise ValueError(f"order must be at least 1 and V**order below 2**64, got {order}")
        if len(tokens) < order:
            raise ValueError(f"tokens must be at least {order}, got {len(tokens)}")
        if not 0 < weight < np.inf:
            raise ValueError(f"weight must be positive and finite, got {weight}")
        self.V, self.order, self.weight = V, order, weight
        self._counts = [np.unique(_keys(tokens, V, n), return_counts=True) for n in _orders(order)]
        self._contexts = []
        for keys, count in self._counts:
            context, first = np.unique(keys // np.uint64(V), return_index=True)
            kinds = np.diff(first, append=len(keys))
            self._contexts.append((context, np.add.reduceat(count, first), kinds))

    def probability(self, tokens: Tokens, before: Tokens = ()) -> NDArray[np.float64]:  # type: ignore[assignment]
        """P of each token (N,) given those before it; `before` is the text that precedes."""
        before = np.asarray(before, dtype=np.int64)
        text = _checked(np.concatenate([before, tokens]), self.V)
        p = np.full(len(text), 1 / self.V)
        for n, (keys, count), (contexts, total, kinds) in zip(
            _orders(self.order), self._counts, self._contexts, strict=True
        ):
            if len(text) < n:
                break
            here = _keys(text, self.V, n)
            c = _look_up(here, keys, count)
            N = _look_up(here // np.uint64(self.V), contexts, total)
            k = self.weight * _look_up(here // np.uint64(self.V), contexts, kinds)
            shorter = p[n - 1 :]  # the first n − 1 have too little before them
            p[n - 1 :] = np.where(N > 0, (c + k * shorter) / np.maximum(N + k, 1), shorter)
        return p[len(before) :]

    def bits(self, tokens: Tokens, before: Tokens = ()) -> float:  # type: ignore[assignment]
        """Mean −log₂ P: bits a symbol. Raises ValueError where there is none to score."""
        if len(tokens) == 0:
            raise ValueError("tokens must hold at least one symbol to score, got none")
        return float(-np.log2(self.probability(tokens, before)).mean())


def _orders(order: int) -> range:
    return range(1, order + 1)


def _keys(tokens: Tokens, V: int, n: int) -> NDArray[np.uint64]:
    """Each run of n tokens as one number of n digits in base V; the last digit is what follows."""
    keys = np.zeros(len(tokens) - n + 1, np.uint64)
    for k in range(n):
        keys = keys * np.uint64(V) + tokens[k : len(tokens) - n + 1 + k].astype(np.uint64)
    return keys


def _look_up(wanted: NDArray[np.uint64], keys: NDArray[np.uint64], values: Tokens) -> Tokens:
    """The value of each wanted key, 0 where it is not among the (sorted) keys."""
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


def _checked(tokens: Tokens, V: int) -> Tokens:
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise ValueError(f"tokens must be (N,) integers, got {tokens.shape} {tokens.dtype}")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < V:
        raise ValueError(f"tokens must be 0 … {V - 1}, got {tokens.min()} … {tokens.max()}")
    return tokens
