"""What the interpreter can't show: that the kernels compile, and fit on a large and a small GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("triton", reason="needs Triton")


@pytest.fixture(scope="module", params=["lstm", "gru"])
def kernels(request: pytest.FixtureRequest) -> Any:
    """What compile_kernels.py prints, from a Python in which Triton compiles."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    script = Path(__file__).with_name("compile_kernels.py")
    command = [sys.executable, str(script), request.param]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(printed.stdout)


def test_every_program_fits_into_the_shared_memory(kernels: Any) -> None:
    assert len(kernels) == 2 * 12
    assert {name: k["room"] for name, k in kernels.items() if k["room"] < 0} == {}


def test_programs_release_what_they_stored_and_acquire_it(kernels: Any) -> None:
    for name in (
        "forward_kernel 132 128 512 torch.bfloat16",
        "backward_kernel 132 64 128 torch.float32",
    ):
        release, acquire = kernels[name]["counter"]
        assert "release.add" in release
        assert "acquire" in acquire


def test_one_launch_a_step_has_no_counter(kernels: Any) -> None:
    assert kernels["forward_kernel 20 128 1024 torch.float16"]["counter"] == []
