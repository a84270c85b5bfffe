"""The folder of a CTC model, read strictly: what is not as it must be is an error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maie_alignment.engine import SAMPLE_RATE
from maie_alignment.engines.ctc.audio import FRAME_SAMPLES
from maie_alignment.engines.ctc.phones import english
from maie_alignment.engines.ctc.vocabulary import Vocabulary, read_vocabulary
from maie_alignment.engines.embedded.decoder import DICTIONARY, packaged_model
from maie_core.models import model_corrupt, model_missing, refuse_pickles, verified_sha256

DEFAULT_MODEL: Final = "hama-phones-1.3"
VOCABULARY: Final = "vocab.json"
CONFIG: Final = "config.json"
PREPROCESSOR: Final = "preprocessor_config.json"
SPECIAL: Final = "tokenizer_config.json"
_BLANK: Final = "<pad>"


@dataclass(kw_only=True, frozen=True, slots=True)
class CtcFolder:
    """What a folder says of its model, beside the weights.

    Attributes:
        path: The folder.
        vocabulary: The model's columns.
        normalise: Whether it takes samples of mean 0 and variance 1; else they are -1 to 1.
        sha256: The digest of all files.
    """

    path: Path
    vocabulary: Vocabulary
    normalise: bool
    sha256: str


def read_folder(root: Path, weights: str, sha256: str, variable: str) -> CtcFolder:
    """Reads and verifies a folder: of transformers, or the model of hama. Blocks.

    Args:
        root: The folder.
        weights: The name of the file with the weights; empty where another machine has them.
        sha256: The digest that all files must have; empty: the manifest beside them says it.
        variable: The setting that names the folder.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or MODEL_UNSAFE.
    """
    refuse_pickles(root)
    needed = [VOCABULARY, *([weights] if weights else [])]
    if missing := [name for name in needed if not (root / name).is_file()]:
        raise model_missing(
            f"The CTC model in {root} lacks {', '.join(missing)}; run `maie models pull "
            f"{DEFAULT_MODEL}`, or set {variable}."
        )
    config, preprocessor, special = (_json(root / name) for name in (CONFIG, PREPROCESSOR, SPECIAL))
    read = [name for name in (CONFIG, PREPROCESSOR, SPECIAL) if (root / name).is_file()]
    digest = verified_sha256(root, [*needed, *read], sha256)
    _check_rates(root, config, preprocessor)
    blank = special.get("pad_token", _BLANK)
    pronunciations = english(packaged_model() / DICTIONARY)
    return CtcFolder(
        path=root,
        vocabulary=read_vocabulary(root / VOCABULARY, str(blank), pronunciations),
        normalise=bool(preprocessor.get("do_normalize", False)),
        sha256=digest,
    )


def _check_rates(root: Path, config: dict[str, Any], preprocessor: dict[str, Any]) -> None:
    rate = preprocessor.get("sampling_rate", SAMPLE_RATE)
    step = 1
    for each in config.get("conv_stride", [FRAME_SAMPLES]):
        step *= each
    if rate != SAMPLE_RATE or step != FRAME_SAMPLES:
        raise model_corrupt(
            f"The model in {root} takes {rate} samples a second, {step} for each frame; this "
            f"engine runs models that take {SAMPLE_RATE} and {FRAME_SAMPLES}."
        )


def _json(path: Path) -> dict[str, Any]:
    """A file; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise model_corrupt(f"{path} is no JSON; fetch the model again.") from error
    if not isinstance(found, dict):
        raise model_corrupt(f"{path} is no object of JSON; fetch the model again.")
    return found
