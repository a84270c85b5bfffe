"""Models that are known by name, each at an exact commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from maie_runtime.errors import Code, StageError

WHISPER_FILES = (
    "config.json",
    "model.bin",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocabulary.*",
)
# Pickles are never fetched: a torch model comes as safetensors, or not at all.
TORCH_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt", "*.yaml", "global_cmvn")
_REPOSITORY = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")


@dataclass(kw_only=True, frozen=True, slots=True)
class CatalogueModel:
    """A model and where it is fetched from.

    Attributes:
        name: What it is called here and on disk.
        description: What it is, in one sentence.
        repository: Where it is on the hub.
        revision: The exact commit there.
        license: The licence of the weights, by its SPDX identifier.
        size_mb: The size of its files in megabytes; 0 where that is not known.
        files: Patterns of the files that are fetched.
        sha256: What the weights must hash to, by file, wherever they come from.
        torch: Whether it is a torch model, whose weights must be safetensors.
    """

    name: str
    description: str
    repository: str
    revision: str
    license: str = ""
    size_mb: int = 0
    files: tuple[str, ...] = TORCH_FILES
    sha256: Mapping[str, str] = field(default_factory=dict)
    torch: bool = True


def _whisper(
    name: str, repository: str, revision: str, size_mb: int, sha256: str, description: str
) -> CatalogueModel:
    return CatalogueModel(
        name=name,
        description=description,
        repository=repository,
        revision=revision,
        license="MIT",
        size_mb=size_mb,
        files=WHISPER_FILES,
        sha256={"model.bin": sha256},
        torch=False,
    )


CATALOGUE = (
    _whisper(
        "whisper-small",
        "Systran/faster-whisper-small",
        "536b0662742c02347bc0e980a01041f333bce120",
        486,
        "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
        "Whisper small: many languages, usable on a CPU.",
    ),
    _whisper(
        "whisper-large-v3",
        "Systran/faster-whisper-large-v3",
        "edaa852ec7e145841d8ffdb056a99866b5f0a478",
        3091,
        "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
        "Whisper large-v3: the most accurate in most languages; wants a GPU.",
    ),
    _whisper(
        "whisper-large-v3-turbo",
        "dropbox-dash/faster-whisper-large-v3-turbo",
        "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
        1622,
        "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
        "Whisper large-v3 with a small decoder: several times as fast; does not translate well.",
    ),
    _whisper(
        "whisper-distil-large-v3",
        "Systran/faster-distil-whisper-large-v3",
        "c3058b475261292e64a0412df1d2681c06260fab",
        1516,
        "b79368e19b6623813609431a6e5ee309a71506701ebc49fd7820e692dec7c5f5",
        "Whisper large-v3 distilled: English only, fast.",
    ),
)


def catalogue_model(name: str) -> CatalogueModel:
    """A model by its name, or any other as OWNER/REPOSITORY@COMMIT.

    Raises:
        StageError: NOT_FOUND with MODEL_UNKNOWN.
    """
    for model in CATALOGUE:
        if model.name == name:
            return model
    if found := _REPOSITORY.fullmatch(name):
        repository = found["repository"]
        return CatalogueModel(
            name=repository.partition("/")[2],
            description="A torch model.",
            repository=repository,
            revision=found["revision"],
        )
    known = ", ".join(model.name for model in CATALOGUE)
    raise StageError(
        Code.NOT_FOUND,
        "MODEL_UNKNOWN",
        f"There is no model {name!r} in the catalogue; name one of {known}, or a torch model as "
        "OWNER/REPOSITORY@COMMIT with the commit's 40 digits.",
    )
