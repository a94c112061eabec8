"""Compile what the Triton kernels of a cell would launch on a GPU, which takes no GPU.

Run as `python compile_kernels.py CELL`, where TRITON_INTERPRET is not set. Prints JSON: for each
kernel and case, the bytes of shared memory left over and the instructions at the counter.
"""

import json
import re
import sys
from importlib import import_module
from typing import Any
from unittest import mock

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from lstm_lib.torch_cells._triton import H100, Chip

LAPTOP = Chip(20, 99 * 1024)  # too few processors for the programs of a tile to meet
CASES = [  # (GPU, B, H, dtype)
    (H100, 16, 64, torch.bfloat16),
    (H100, 2000, 128, torch.float16),
    (H100, 16, 64, torch.float32),
    (H100, 3, 33, torch.float64),
    (H100, 64, 128, torch.float32),
    (H100, 128, 512, torch.bfloat16),
    (H100, 128, 1024, torch.bfloat16),
    (H100, 64, 1024, torch.float32),
    (H100, 8, 512, torch.float64),
    (LAPTOP, 16, 128, torch.bfloat16),
    (LAPTOP, 16, 64, torch.float32),
    (LAPTOP, 128, 1024, torch.float16),
]
NAMES = {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}
NAMES |= {torch.float64: "fp64", torch.int32: "i32"}


def compile_launch(kernel: Any, gpu: Chip, *args: Any, **options: Any) -> Any:
    """Compile a kernel for these arguments, as a launch would."""
    signature, constants, attributes = {}, {}, {}
    for k, (parameter, value) in enumerate(zip(kernel.params, args, strict=True)):
        if isinstance(value, torch.Tensor):
            signature[parameter.name] = f"*{NAMES[value.dtype]}"
            attributes[(k,)] = [["tt.divisibility", 16]]
        elif parameter.is_constexpr or value is None:
            signature[parameter.name] = "constexpr"
            constants[(k,)] = value
        else:
            signature[parameter.name] = "i32"
    options.pop("launch_cooperative_grid", None)
    source = ASTSource(kernel, signature, constants, attributes)
    target = GPUTarget("cuda", 90 if gpu is H100 else 89, 32)
    return triton.compile(source, target=target, options=options)


def main(cell: str) -> None:
    names = (f"triton_{cell}", "_triton", "_triton_split")
    small, both, split = (import_module(f"lstm_lib.torch_cells.{name}") for name in names)
    found: dict[str, Any] = {}

    def launch(kernel: Any, grid: tuple[int, ...], *args: Any, **options: Any) -> None:
        done = compile_launch(kernel, gpu, *args, **options)
        name = f"{kernel.fn.__name__} {gpu.processors} {B} {H} {dtype}"
        counter = re.findall(r"\w+\.global\.gpu\.(?:acquire|release)[.\w]*", done.asm["ptx"])
        found[name] = {"room": gpu.memory - done.metadata.shared, "counter": sorted(set(counter))}

    blocks = 4 if cell == "lstm" else 3
    mock.patch.object(small, "check_can_run").start()
    for module in (small, split):
        mock.patch.object(module, "launch", launch).start()
    for module in (both, split):
        mock.patch.object(module, "chip", side_effect=lambda device: gpu).start()
    for case in CASES:
        gpu, B, H, dtype = case
        u, W_h = torch.zeros(2, B, blocks * H).to(dtype), torch.zeros(H, blocks * H).to(dtype)
        h, live = torch.zeros(B, H).to(dtype), torch.ones(B, dtype=torch.int32)
        rest = (h, h) if cell == "lstm" else (torch.zeros(H).to(dtype), h)
        kept = small.forward(u, W_h, *rest, live)
        if cell == "lstm":
            small.backward(u[..., :H].contiguous(), h, h, W_h, *kept[1:], None)
        else:
            small.backward(u[..., :H].contiguous(), h, W_h, *kept, None)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
