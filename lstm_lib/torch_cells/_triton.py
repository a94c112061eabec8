"""What the Triton kernels of the cells share: σ, tanh and the matmul, and where they can run.

Triton compiles a kernel for the GPU at its first call. With TRITON_INTERPRET=1 in the environment
before Python starts, NumPy executes the same source line by line on any machine: slow, for tests.
Triton exists for Linux alone, so a module that needs it must be importable without it.
"""

from typing import Any, NamedTuple

import torch

try:
    import triton
    import triton.language as tl
except ModuleNotFoundError:

    class _Absent:
        """Lets kernels be defined where Triton is missing; `why_not` keeps them from running."""

        constexpr = staticmethod(lambda value: value)
        jit = staticmethod(lambda function: function)

    triton = tl = _Absent
    INSTALLED, INTERPRETED = False, False
else:
    INSTALLED, INTERPRETED = True, bool(triton.knobs.runtime.interpret)

LARGEST_H = 1024
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
FOR_WEIGHTS = 0.6  # of the shared memory of a program; the rest holds inputs and exchanges
# Sequences a program, fewest and most, by the bytes a number. Under 8 the tensor cores do as much
# for less. float32 is multiplied on the ordinary units, whose time grows with each sequence.
TILES = {2: (8, 16), 4: (4, 16), 8: (8, 16)}
BFLOAT16_AS_BITS = tl.constexpr(INTERPRETED)  # how the interpreter keeps such numbers


@triton.jit
def sigmoid(a):
    return 1 / (1 + tl.exp(-a))


@triton.jit
def tanh(a):
    return 2 / (1 + tl.exp(-2 * a)) - 1  # ±1 at ±∞; the absolute error stays at one rounding


@triton.jit
def load_four(at, H, real):
    """The four tiles that lie side by side, H apart, with 0 for what isn't real."""
    first, second = tl.load(at, real, 0.0), tl.load(at + H, real, 0.0)
    return first, second, tl.load(at + 2 * H, real, 0.0), tl.load(at + 3 * H, real, 0.0)


@triton.jit
def store_four(at, H, real, first, second, third, fourth):
    tl.store(at, first, real)
    tl.store(at + H, second, real)
    tl.store(at + 2 * H, third, real)
    tl.store(at + 3 * H, fourth, real)


@triton.jit
def dot(a, W, PRECISION: tl.constexpr):
    """a @ W with the products summed in float32 (float64 for float64).

    PRECISION counts for float32 alone: "ieee" multiplies float32 numbers, on the ordinary
    arithmetic units; "tf32" rounds them to 11 bits first, which the tensor cores can multiply.
    """
    if BFLOAT16_AS_BITS and a.dtype == tl.bfloat16:  # can't be multiplied; in float32 it is exact
        a, W = a.to(tl.float32), W.to(tl.float32)
    return tl.dot(a, W, input_precision=PRECISION)


def precision() -> str:
    """Return how float32 is to be multiplied, as `torch.set_float32_matmul_precision` says."""
    return "ieee" if torch.get_float32_matmul_precision() == "highest" else "tf32"


class Chip(NamedTuple):
    """What a GPU has for the programs of a kernel."""

    processors: int  #: one program runs on each at a time
    memory: int  #: bytes of shared memory of a program


H100 = Chip(132, 227 * 1024)


def chip(device: torch.device) -> Chip:
    """Return what a device has. The interpreter runs no two programs at a time: 0 processors."""
    if INTERPRETED:
        return Chip(0, H100.memory)
    found = torch.cuda.get_device_properties(device)
    memory = found.shared_memory_per_block_optin  # type: ignore[attr-defined]
    return Chip(found.multi_processor_count, memory)


def batch_tile(B: int, smallest: int, largest: int, at_once: int) -> int:
    """Return how many sequences a program takes: few, so that its steps are short.

    Twice as many as the smallest number while more than at_once tiles would be left, and so on.
    """
    tile = smallest
    while tile < largest and triton.cdiv(B, tile) > at_once:
        tile *= 2
    return tile


def fits(H: int, like: torch.Tensor) -> bool:
    """Say whether one program can hold W_h: on an H100 up to H = 128 in 16 bits, 64 in more."""
    weights = 4 * triton.next_power_of_2(H) ** 2 * like.dtype.itemsize
    return weights <= FOR_WEIGHTS * chip(like.device).memory


def options(B: int, H: int, like: torch.Tensor) -> tuple[tuple[int], tuple[Any, ...], int]:
    """Return the grid, the sizes HP and BB and the precision, and the warps of a program."""
    HP = max(16, triton.next_power_of_2(H))
    BB = batch_tile(B, *TILES[like.dtype.itemsize], at_once=chip(like.device).processors)
    return (triton.cdiv(B, BB),), (HP, BB, precision()), 8 if HP >= 64 else 4


def state_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which c, and the gradients by h and c, are carried from step to step."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def why_not(dtype: torch.dtype, H: int, device: torch.device | str) -> str | None:
    """Return None where the kernels can run, else the reason and what would make them run."""
    device = torch.device(device)
    if not INSTALLED:
        return "Triton is not installed. On Linux with an NVIDIA GPU: pip install triton"
    if dtype not in DTYPES:
        return f"the Triton kernels take float16, bfloat16, float32 and float64, not {dtype}"
    if H > LARGEST_H:
        return f"the Triton kernels hold W_h on chip, so H must be at most {LARGEST_H}, got {H}"
    if device.type not in ("cpu", "cuda"):
        return f"Triton takes tensors on a CUDA device, or interpreted on the CPU, not on {device}"
    if INTERPRETED:
        return None
    if device.type != "cuda":
        if torch.cuda.is_available():
            return f"Triton needs tensors on the GPU, these are on {device}: move them to 'cuda'"
        return (
            "Triton needs a CUDA device; none is visible here. On a machine without one, set the "
            "environment variable TRITON_INTERPRET=1 before Python starts: slow, for tests"
        )
    if torch.cuda.get_device_capability(device) < (8, 0):
        return f"the Triton kernels need an NVIDIA GPU from Ampere (2020) on, not that of {device}"
    return None


def check_can_run(u: torch.Tensor, H: int) -> None:
    """Raise RuntimeError with the reason where the kernels can't run on a tensor like u."""
    if reason := why_not(u.dtype, H, u.device):
        raise RuntimeError(reason)


def launch(kernel: Any, grid: tuple[int, ...], *args: Any, **options: Any) -> None:
    """Start a kernel on the device of its first argument, which Triton alone doesn't look at."""
    with torch.cuda.device_of(args[0]):
        kernel[grid](*args, **options)
