"""A character model of all of Shakespeare, against n-grams on the last parts of eight tragedies.

An hour on one thread. The weights are kept in half precision, beside the configuration, the hash
of the text and the curve; what is reported is measured with the rounded weights.
"""

import hashlib
import lzma
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from lstm_lib import data, recorded
from lstm_lib.experiments.results import Row
from lstm_lib.language import (
    Alphabet,
    CharModel,
    Split,
    Stream,
    Tokens,
    bits_per_character,
    split_tails,
    step_on,
)
from lstm_lib.ngram import NGram
from lstm_lib.train.runs import Config, run

WEIGHTS = recorded.FOLDER / "shakespeare.safetensors"
ORDERS = range(1, 9)
LONGEST, TRIED = 10, (1.0, 2.0, 5.0, 8.0, 12.0, 16.0)
TUNED = f"{LONGEST}-gram, tuned"
CONTEXT = 1000
"""Characters that the model reads before a tail, to get into its state; they are not scored."""


HOUR = Config(
    updates=25_000, lr=3e-3, schedule="cosine", warmup=200, validate_every=1000, save_every=500
)


@dataclass(frozen=True)
class Settings:
    """The model (E, H, dropout), the pieces of text (T, B), and the run."""

    E: int = 64
    H: int = 384
    dropout: float = 0.1
    T: int = 64
    B: int = 64
    config: Config = HOUR


class Corpus(NamedTuple):
    """All plays and poems as tokens; eight tragedies give up their last parts."""

    alphabet: Alphabet
    train: Tokens  #: all that is trained on, one after the other
    tails: Split  #: of each tragedy
    sha256: str  #: of all texts, in the order of training

    def parts(self, name: str) -> tuple[list[Tokens], list[Tokens]]:
        """The tails ("validation" or "test") as tokens, and what comes before each."""
        encode = self.alphabet.encode
        before = [a if name == "validation" else a + b for a, b, _ in zip(*self.tails, strict=True)]
        tails = getattr(self.tails, name)
        return [encode(tail) for tail in tails], [encode(text[-CONTEXT:]) for text in before]


def corpus() -> Corpus:
    """The text of `data.load_shakespeare`, cut: 92.5 % / 2.5 % / 5 % of each tragedy."""
    texts = data.load_shakespeare().texts
    tails = split_tails([texts[name] for name in data.TRAGEDIES])
    others = [texts[name] for name in sorted(set(texts) - set(data.TRAGEDIES))]
    alphabet = Alphabet("".join(texts.values()))
    train = "".join([*tails.train, *others])
    everything = "".join([*(texts[name] for name in data.TRAGEDIES), *others])
    digest = hashlib.sha256(everything.encode("ascii")).hexdigest()
    return Corpus(alphabet, alphabet.encode(train), tails, digest)


def new_model(text: Corpus, settings: Settings) -> CharModel:
    """An untrained model for this alphabet, drawn from the run's seed."""
    generator = torch.Generator().manual_seed(settings.config.seed)
    return CharModel(
        len(text.alphabet), settings.E, settings.H, dropout=settings.dropout, generator=generator
    )


def load_model(text: Corpus) -> CharModel:
    """The recorded model, in float32."""
    made = recorded.read("shakespeare")["settings"]
    model = CharModel(len(text.alphabet), made["E"], made["H"])
    model.load_state_dict({name: w.float() for name, w in load_file(WEIGHTS).items()})
    return model.eval()


def baselines(text: Corpus) -> dict[str, float]:
    """Bits a character of the n-grams and of a compressor, on the test tails.

    `TUNED` is the longest n-gram with the weight of shorter contexts that does best on the
    validation tails. The compressor (LZMA) is scored by what the tails add to the size of the
    packed training text.
    """
    V = len(text.alphabet)
    scores = {f"{n}-gram": _bits(NGram(text.train, V, n), text, "test") for n in ORDERS}
    long = NGram(text.train, V, LONGEST)
    tried: dict[float, float] = {}
    for long.weight in TRIED:
        tried[long.weight] = _bits(long, text, "validation")
    long.weight = min(tried, key=lambda weight: tried[weight])
    scores[TUNED] = _bits(long, text, "test")
    return scores | {"LZMA": _compressed(text, text.parts("test")[0])}


def _bits(model: NGram, text: Corpus, name: str) -> float:
    """Bits a character of an n-gram on the tails of one kind."""
    pairs = zip(*text.parts(name), strict=True)
    p = np.concatenate([model.probability(tail, before) for tail, before in pairs])
    return float(-np.log2(p).mean())


def _compressed(text: Corpus, tails: list[Tokens]) -> float:
    """Bits a character of the tails, packed after the text that was trained on."""
    pack = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 2**24}]
    read, more = (bytes(part.astype(np.uint8)) for part in (text.train, np.concatenate(tails)))
    sizes = [
        len(lzma.compress(all_, lzma.FORMAT_RAW, filters=pack)) for all_ in (read, read + more)
    ]
    return 8 * (sizes[1] - sizes[0]) / len(more)


def measure(
    settings: Settings, *, folder: str | Path | None = None, progress: bool = True
) -> tuple[CharModel, dict[str, Any]]:
    """Train, round the weights to half precision, and test beside the baselines."""
    text = corpus()
    model = new_model(text, settings)
    tails, befores = text.parts("validation")
    config = settings.config if folder else replace(settings.config, save_every=None)
    done = run(
        model,
        step_on(Stream(text.train, T=settings.T, B=settings.B, seed=config.seed)),
        config,
        validate=lambda m: bits_per_character(m, tails, befores),
        folder=folder,
        progress=progress,
    )
    model.load_state_dict({name: w.half().float() for name, w in model.state_dict().items()})
    every = max(1, len(done.history.loss) // 200)
    results = {
        "settings": asdict(settings),
        "weights": sum(p.numel() for p in model.parameters()),
        "text": {"characters": len(text.train), "sha256": text.sha256},
        "alphabet": text.alphabet.characters,
        "bits": {"LSTM": bits_per_character(model, *text.parts("test")), **baselines(text)},
        "validation": done.validation,
        "best_update": done.best_update,
        "curve": [
            (int(u), round(float(x) / float(np.log(2)), 4))
            for u, x in zip(
                done.history.updates[::every], done.history.running_loss[::every], strict=True
            )
        ],
    }
    return model.eval(), results


def rows() -> list[Row]:
    """The recorded weights, tested anew beside the best n-gram."""
    text, kept = corpus(), recorded.read("shakespeare")["bits"]
    now = {"LSTM": bits_per_character(load_model(text), *text.parts("test")), **baselines(text)}
    found = []
    for bits in (now, kept):
        best = min((bits[name], name) for name in bits if name.endswith("-gram"))
        found.append((bits["LSTM"], *best, bits[TUNED]))
    (lstm, gram, name, tuned), (lstm_kept, gram_kept, name_kept, tuned_kept) = found
    ratios = f"{lstm / gram:.3f}", f"{lstm_kept / gram_kept:.3f}"
    best_now, best_kept = f"{gram:.3f} ({name})", f"{gram_kept:.3f} ({name_kept})"
    return [
        Row("A2", "best Witten–Bell n-gram, bits a character", best_now, best_kept),
        Row("A2", f"{TUNED} on validation", f"{tuned:.3f}", f"{tuned_kept:.3f}"),
        Row("A2", "LSTM, bits a character", f"{lstm:.3f}", f"{lstm_kept:.3f}"),
        Row("A2", "LSTM / best Witten–Bell n-gram", *ratios, "≤ 0.90", lstm <= 0.9 * gram),
        Row("A2", "LSTM / tuned n-gram", f"{lstm / tuned:.3f}", f"{lstm_kept / tuned_kept:.3f}"),
    ]


def main() -> None:
    """Train (or go on), and record weights and results."""
    start = time.perf_counter()
    model, results = measure(Settings(), folder=Path("build") / "shakespeare")
    save_file({name: w.half() for name, w in model.state_dict().items()}, WEIGHTS)
    recorded.write("shakespeare", results, seconds=time.perf_counter() - start)
    print({name: round(bits, 3) for name, bits in results["bits"].items()})
