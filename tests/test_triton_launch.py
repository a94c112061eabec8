"""Where the Triton kernels can run, and how their work is divided, without running one."""

import subprocess
import sys
from typing import Any

import pytest
import torch

from lstm_lib.torch_cells import _triton, _triton_split, triton_gru, triton_lstm
from lstm_lib.torch_cells._triton import H100, Chip

pytest.importorskip("triton", reason="needs Triton")

LAPTOP = Chip(20, 99 * 1024)
GPU = torch.device("cuda")


def compiled(monkeypatch: pytest.MonkeyPatch, gpu: bool = True, generation: int = 9) -> None:
    """Answer as where Triton compiles: with a GPU of this generation, or without one."""
    monkeypatch.setattr(_triton, "INTERPRETED", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (generation, 0))


def test_kernels_can_run_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(monkeypatch)
    assert triton_lstm.why_not(torch.float32, 1024, GPU) is None


def test_the_interpreter_can_run_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_triton, "INTERPRETED", True)
    assert triton_gru.why_not(torch.bfloat16, 1024, "cpu") is None


def test_without_a_gpu_the_reason_names_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(monkeypatch, gpu=False)
    reason = triton_lstm.why_not(torch.float32, 8, "cpu")
    assert reason is not None
    assert "none is visible here" in reason
    assert "TRITON_INTERPRET=1" in reason


def test_tensors_on_the_cpu_beside_a_gpu_are_to_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(monkeypatch)
    assert "these are on cpu: move" in str(triton_lstm.why_not(torch.float32, 8, "cpu"))


def test_an_old_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(monkeypatch, generation=7)
    assert "Ampere" in str(triton_lstm.why_not(torch.float32, 8, GPU))


@pytest.mark.parametrize(
    ("dtype", "H", "words"),
    [(torch.float32, 1025, "at most 1024, got 1025"), (torch.int64, 8, "not torch.int64")],
)
def test_what_no_kernel_takes_is_refused_everywhere(
    dtype: torch.dtype, H: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for interpreted in (False, True):
        monkeypatch.setattr(_triton, "INTERPRETED", interpreted)
        assert words in str(triton_lstm.why_not(dtype, H, GPU))


def test_where_kernels_cannot_run_calling_them_says_why() -> None:
    u, W_h, state = torch.zeros(1, 1, 4100), torch.zeros(1025, 4100), torch.zeros(1, 1025)
    with pytest.raises(RuntimeError, match="at most 1024, got 1025"):
        triton_lstm.forward(u, W_h, state, state, None)


def test_without_triton_the_modules_import_and_say_that_it_is_missing() -> None:
    program = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch\n"
        "from lstm_lib.torch_cells import triton_gru, triton_lstm\n"
        "print(triton_lstm.why_not(torch.float32, 8, 'cpu'))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "Triton is not installed" in printed.stdout


def test_weights_of_128_units_fit_one_program_in_16_bits_on_an_h100_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half, single = torch.zeros(1).half(), torch.zeros(1)
    monkeypatch.setattr(_triton, "chip", lambda device: H100)
    assert _triton.fits(128, half)
    assert not _triton.fits(129, half)
    assert not _triton.fits(128, single)
    monkeypatch.setattr(_triton, "chip", lambda device: LAPTOP)
    assert not _triton.fits(128, half)


@pytest.mark.parametrize(("B", "tile"), [(1, 8), (16, 8), (128, 8), (1056, 8), (1057, 16)])
def test_batch_tiles_are_small_while_there_are_processors(B: int, tile: int) -> None:
    assert _triton.batch_tile(B, 8, 16, at_once=132) == tile


@pytest.mark.parametrize("H", [130, 256, 512, 1024])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_every_unit_and_sequence_has_a_program(H: int, dtype: torch.dtype) -> None:
    for B in (1, 16, 17, 128, 1000):
        for gpu in (H100, LAPTOP):
            share = _triton_split.divide(B, H, dtype, gpu)
            assert (share.n - 1) * share.HB < H <= share.n * share.HB
            assert (share.tiles - 1) * share.BB < B <= share.tiles * share.BB
            assert _triton_split.KS * share.BK >= H
            assert share.at_once == gpu.processors // share.n


class Launches(list[tuple[tuple[int, int], tuple[Any, ...], dict[str, Any]]]):
    """Stands for a kernel: keeps what it is launched with."""

    def __getitem__(self, grid: Any) -> Any:
        return lambda *args, **options: self.append((grid, args, options))


def launches(monkeypatch: pytest.MonkeyPatch, gpu: Chip, B: int, T: int = 5) -> Launches:
    """What `run` launches for H = 512 and the steps T … 1 in bfloat16."""
    monkeypatch.setattr(_triton_split, "chip", lambda device: gpu)
    kernel = Launches()
    _triton_split.run(kernel, (torch.zeros(1).bfloat16(),), B, 512, range(T)[::-1])
    return kernel


def test_programs_that_wait_for_each_other_all_fit_on_the_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel, tiles = launches(monkeypatch, H100, B=900), []
    for (n, at_once), args, options in kernel:
        assert n * at_once <= H100.processors
        assert options["launch_cooperative_grid"]
        _, _, tile_0, t_0, t_1, *_, together = args
        assert (t_0, t_1, together) == (0, 5, True)
        tiles += range(tile_0, tile_0 + at_once)
    assert tiles == list(range(29))  # of 32 sequences


def test_a_gpu_with_too_few_processors_gets_a_launch_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = launches(monkeypatch, LAPTOP, B=100)
    assert [args[3:5] for _, args, _ in kernel] == [(4, 5), (3, 4), (2, 3), (1, 2), (0, 1)]
    assert {(grid, args[-1]) for grid, args, _ in kernel} == {((64, 4), False)}
    assert not any("launch_cooperative_grid" in options for _, _, options in kernel)
