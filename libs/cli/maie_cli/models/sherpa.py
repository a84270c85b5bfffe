"""Sources of models for the ASR engine `sherpa`: conversions by the authors of sherpa-onnx.

Commits and digests are those that several public projects pin; none was fetched here.
"""

from __future__ import annotations

from collections.abc import Mapping

from maie_cli.models.sources import HubSource


def _source(repository: str, revision: str, size_mb: int, sha256: Mapping[str, str]) -> HubSource:
    """A source with all files pinned."""
    return HubSource(
        repository=repository,
        revision=revision,
        files=tuple(sha256),
        sha256=sha256,
        size_mb=size_mb,
    )


PARAKEET_V2 = _source(
    "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8",
    "1ab9323565ddb038682214b292f588070a538ce2",
    661,
    {
        "encoder.int8.onnx": "a32b12d17bbbc309d0686fbbcc2987b5e9b8333a7da83fa6b089f0a2acd651ab",
        "decoder.int8.onnx": "b6bb64963457237b900e496ee9994b59294526439fbcc1fecf705b31a15c6b4e",
        "joiner.int8.onnx": "7946164367946e7f9f29a122407c3252b680dbae9a51343eb2488d057c3c43d2",
        "tokens.txt": "ec182b70dd42113aff6c5372c75cac58c952443eb22322f57bbd7f53977d497d",
    },
)
PARAKEET_V3 = _source(
    "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8",
    "2bda32ec70b097a55adaa07d9a7173915b43cc78",
    670,
    {
        "encoder.int8.onnx": "acfc2b4456377e15d04f0243af540b7fe7c992f8d898d751cf134c3a55fd2247",
        "decoder.int8.onnx": "179e50c43d1a9de79c8a24149a2f9bac6eb5981823f2a2ed88d655b24248db4e",
        "joiner.int8.onnx": "3164c13fc2821009440d20fcb5fdc78bff28b4db2f8d0f0b329101719c0948b3",
        "tokens.txt": "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d",
    },
)
CANARY = _source(
    "csukuangfj/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8",
    "9077164e0d3dd1d5353743e89ceaa1d3a770838c",
    207,
    {
        "encoder.int8.onnx": "7a75b4e2a5857a6dcc0819503bbe3fad66943db4a3ccf21d3f27c633667d303f",
        "decoder.int8.onnx": "e41a2ab9c0c2fe81a1e8ade5a45fb02a74bc4db7d1f91b89a54a25e2cf79cba2",
        "tokens.txt": "2dae6fc7815f9640645e0c765522b278ee0cef49b482d91f6913e334628d3e77",
    },
)
SENSE_VOICE = _source(
    "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
    "2365baeacb507f821a0c8120fcee3d484dba7a07",
    240,
    {
        "model.int8.onnx": "c71f0ce00bec95b07744e116345e33d8cbbe08cef896382cf907bf4b51a2cd51",
        "tokens.txt": "f449eb28dc567533d7fa59be34e2abca8784f771850c78a47fb731a31429a1dc",
    },
)
NEMOTRON = _source(
    "csukuangfj2/sherpa-onnx-nemotron-speech-streaming-en-0.6b-560ms-int8-2026-04-25",
    "52056fdc070914a48dcd68b31b44d6a6f5b85902",
    662,
    {
        "encoder.int8.onnx": "7d932213491ad355c6e5576705dc3494731a52af87d7a1b954559340147909d8",
        "decoder.int8.onnx": "0be9702c2f427a2b6bb241d298e0d3836a558de1f5b9fd3018f1cce6e2b3fa98",
        "joiner.int8.onnx": "a35eac38a22ebceb04d230ed7afe0d68f446ba6914a036b97f14fece95967e23",
        "tokens.txt": "dc0b4584ab2e4ddbf888425c076c61b736e7356a015250db7d307e6f1a8188ff",
    },
)
_ZIPFORMER = "epoch-99-avg-1-chunk-16-left-128"
ZIPFORMER = _source(
    "csukuangfj/sherpa-onnx-streaming-zipformer-en-2023-06-26",
    "672fbf1b30579d6585301139bb363f42a0ad4a24",
    73,
    {
        f"encoder-{_ZIPFORMER}.int8.onnx": (
            "563fde436d16cf7607cf408cd6b30909819d03162652ef389c2450ced3f45ac1"
        ),
        f"decoder-{_ZIPFORMER}.onnx": (
            "7bf787f90b194b307e5a4ad6a34fadb4e748304c35f78a8d66358a05b13ee6ef"
        ),
        f"joiner-{_ZIPFORMER}.int8.onnx": (
            "d944208d660d67c8d72cd2acaeac971fa5ceb8c80e76c1968148846fedd6e297"
        ),
        "tokens.txt": "49e3c2646595fd907228b3c6787069658f67b17377c60aeb8619c4551b2316fb",
    },
)
