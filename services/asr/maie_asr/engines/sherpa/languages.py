"""Which languages a model reads, and how it is given one."""

from __future__ import annotations

import json
from typing import Any

from maie_asr.engine import RecognizeOptions
from maie_asr.engines.sherpa.families import QWEN3_LANGUAGES
from maie_asr.engines.sherpa.model import Model
from maie_asr.settings import SherpaSettings
from maie_core.errors import Code, StageError, invalid
from maie_core.models import model_corrupt
from maie_core.reasons import Reason

# In the metadata of a Whisper encoder, and in that of a streaming encoder with many languages.
WHISPER_CODES, IS_MULTILINGUAL = "all_language_codes", "is_multilingual"
PROMPTS, AUTO = "prompt_dictionary", "auto"


def language_codes(model: Model, settings: SherpaSettings) -> tuple[str, ...]:
    """The languages, as primary subtags.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_SETTINGS_INVALID if neither the model nor the
            settings say them, or if they differ; with MODEL_CORRUPT if the model's are unreadable.
    """
    known, wanted = _known(model), settings.language_codes
    if not known and not wanted:
        raise _unfit(
            f"The model in {model.path} does not say which languages it reads; set "
            "MAIE_ASR_SHERPA_LANGUAGE_CODES, such as '[\"en\"]'."
        )
    if known and (others := sorted(set(wanted) - set(known))):
        raise _unfit(
            f"The model in {model.path} does not read {', '.join(others)}; correct "
            "MAIE_ASR_SHERPA_LANGUAGE_CODES."
        )
    return wanted or known


def is_multilingual(model: Model) -> bool:
    """Whether a Whisper model reads other languages than English, and translates."""
    return model.metadata.get(IS_MULTILINGUAL, "0") != "0"


def found_language(written: str) -> str:
    """The primary subtag of a language as the library writes it, such as "<|en|>"."""
    return written.strip("<|>").partition("-")[0].lower()


def ask(model: Model, recognizer: Any, stream: Any, options: RecognizeOptions) -> None:
    """Gives a model the language, just before it reads a stream.

    Raises:
        StageError: INVALID_ARGUMENT with LANGUAGE_NOT_SUPPORTED if it needs one and there is none.
    """
    match model.family.name:
        case "whisper":
            _configure(
                recognizer,
                "whisper",
                language=options.language if is_multilingual(model) else "",
                task="translate" if options.translate else "transcribe",
            )
        case "canary":
            if not options.language:
                raise invalid(
                    Reason.LANGUAGE_NOT_SUPPORTED,
                    "The model does not detect the language that is spoken; name one of "
                    f"{', '.join(model.family.language_codes)}.",
                    field="options.language_code",
                )
            target = "en" if options.translate else options.language
            _configure(recognizer, "canary", src_lang=options.language, tgt_lang=target)
        case "qwen3-asr" if options.language:
            stream.set_option("language", QWEN3_LANGUAGES[options.language])
        case "streaming-nemo-transducer" if PROMPTS in model.metadata:
            stream.set_option("language", options.language or AUTO)


def _configure(recognizer: Any, family: str, **values: str) -> None:
    """Sets what the next streams of a recognizer are read with."""
    chosen = getattr(recognizer.config.model_config, family)
    for name, value in values.items():
        setattr(chosen, name, value)
    recognizer.recognizer.set_config(recognizer.config)


def _known(model: Model) -> tuple[str, ...]:
    if model.family.name == "whisper":
        codes = model.metadata.get(WHISPER_CODES, "").split(",") if is_multilingual(model) else []
        return tuple(sorted(filter(None, codes))) or ("en",)
    if PROMPTS in model.metadata:
        try:
            subtags = {found_language(tag) for tag in json.loads(model.metadata[PROMPTS])}
        except ValueError as error:
            raise model_corrupt(
                f"The languages of the model in {model.path} cannot be read: {error}; fetch it "
                "again."
            ) from error
        return tuple(sorted(subtags - {AUTO}))
    return model.family.language_codes


def _unfit(message: str) -> StageError:
    return StageError(Code.FAILED_PRECONDITION, Reason.MODEL_SETTINGS_INVALID, message)
