"""JAX: `lax.scan` over the steps, compiled. Compilation falls into the warm-up."""

import jax
import jax.numpy as jnp

from benchmarks.problem import Answer, Contestant, Problem
from lstm_lib.numpy_cells.lstm import Params


def forward(params: Params, x: jax.Array) -> jax.Array:
    """The output h (T, B, H)."""

    def step(state: tuple[jax.Array, jax.Array], u_t: jax.Array) -> tuple:
        h, c = state
        i, f, g, o = jnp.split(u_t + h @ params.W_h, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zero = jnp.zeros((x.shape[1], params.W_h.shape[0]), x.dtype)
    return jax.lax.scan(step, (zero, zero), x @ params.W_x + params.b)[1]


def train(params: Params, x: jax.Array, dh: jax.Array) -> Answer:
    """Forward and backward, in one program."""
    h, pull_back = jax.vjp(forward, params, x)
    dparams, dx = pull_back(dh)
    return Answer(h, dx, *dparams)


def build(problem: Problem) -> Contestant:
    """Set JAX up for a problem, its arrays where JAX keeps them."""
    params, x, dh = jax.tree.map(jnp.asarray, tuple(problem))
    compiled_forward, compiled_train = jax.jit(forward), jax.jit(train)
    return Contestant(
        lambda: jax.block_until_ready(compiled_forward(params, x)),
        lambda: jax.block_until_ready(compiled_train(params, x, dh)),
    )
