"""A training run is killed at random points, again and again, and ends as if nothing had happened.

Run as a script this file is the parent: torch is imported once, each life of a run is a fork.
"""

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from lstm_lib import train
from lstm_lib.language import Alphabet, CharModel, Stream, bits_per_character, step_on

KILLS = 52
CONFIG = train.Config(
    80, lr=0.02, schedule="cosine", warmup=5, seed=3, validate_every=8, save_every=3
)
NEVER = 10**9


def life(folder, dies_at):
    """One life of the run: start or resume, and leave a digest of all that came out.

    dies_at: it kills itself when it comes to flush what it wrote for that many times.
    """
    really, step, flushed = os.fsync, step_on(stream()), iter(range(1, NEVER))

    def mortal(file):
        if next(flushed) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        really(file)

    def logged(model, update, state):
        with open(folder / "first", "a") as file:
            file.write(f"{update}\n")
        life_step["now"] = step
        return step(model, update, state)

    life_step = {"now": logged}  # the first update of a life is noted, no other
    os.fsync = mortal
    model = CharModel(7, 3, 8, dropout=0.3, generator=torch.Generator().manual_seed(0))
    run = train.run(
        model,
        lambda *arguments: life_step["now"](*arguments),
        CONFIG,
        validate=lambda model: bits_per_character(model, [tokens()[:50]], [tokens()[50:55]]),
        folder=folder,
        progress=False,
    )
    weights = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
    curve = run.history.loss.tobytes() + run.history.gradient_norm.tobytes()
    said = repr((run.validation, run.best_update, run.stopped)).encode()
    digest = hashlib.sha256(weights + curve + said).hexdigest()
    (folder / "digest").write_text(digest)


def tokens():
    return Alphabet("abcdefg").encode("".join(np.random.default_rng(0).choice([*"abcdefg"], 700)))


def stream():
    return Stream(tokens(), T=12, B=4, seed=CONFIG.seed)


def saved(folder):
    """The update of the checkpoint, 0 where there is none."""
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["record"])["update"]


def live(folder, dies_at=NEVER, until=None):
    """Start a life, and kill it after `until` seconds; (exit code, first update it made)."""
    (folder / "first").unlink(missing_ok=True)
    child = multiprocessing.get_context("fork").Process(target=life, args=(folder, dies_at))
    child.start()
    child.join(until)
    child.kill()
    child.join()
    first = (folder / "first").read_text() if (folder / "first").exists() else ""
    return child.exitcode, int(first or 0)


def parent(where):
    """Kill runs at random points until there were enough kills; return what was seen.

    In every second run the points lie where a file was written and has not its name yet, or just
    after.
    """
    dice, torn, codes, resumed, digests = random.Random(), 0, [], [], []
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.zeros(1)
    torch.optim.AdamW([weight]).step()  # imports for seconds, once here and not in each life
    (where / "undisturbed").mkdir()
    start = time.perf_counter()
    live(where / "undisturbed")
    whole = time.perf_counter() - start
    while codes.count(-signal.SIGKILL) < KILLS or len(digests) < 2:
        folder, writing = where / "disturbed", len(digests) % 2 == 0
        folder.mkdir()
        while not codes or codes[-1] != 0 or not (folder / "digest").exists():
            before = saved(folder)
            if writing:
                code, first = live(folder, dies_at=dice.randint(2, 4))
            else:
                code, first = live(folder, until=dice.uniform(0, whole / 3))
            assert code in (0, -signal.SIGKILL)  # else it would begin again for ever
            codes.append(code)
            resumed.append((before, first))
            torn += (folder / "checkpoint.safetensors.part").exists()
        digests.append((folder / "digest").read_text())
        shutil.rmtree(folder)
    undisturbed = (where / "undisturbed" / "digest").read_text()
    return {
        "codes": codes, "resumed": resumed, "torn": torn,
        "digests": digests, "undisturbed": undisturbed,
    }  # fmt: skip


def test_a_run_killed_fifty_times_resumes_each_time_and_ends_bit_identically(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stderr == ""
    seen = json.loads(done.stdout)
    assert set(seen["codes"]) == {0, -signal.SIGKILL}
    assert seen["codes"].count(-signal.SIGKILL) >= 50
    # A life that came to its first update went on right after the checkpoint that it found.
    lives = [(saved, first) for saved, first in seen["resumed"] if first]
    assert all(first == saved + 1 for saved, first in lives)
    assert sum(saved > 0 for saved, _ in lives) >= 10
    assert seen["torn"] >= 3  # kills in the middle of writing
    assert set(seen["digests"]) == {seen["undisturbed"]}


if __name__ == "__main__":
    json.dump(parent(Path(sys.argv[1])), sys.stdout)
