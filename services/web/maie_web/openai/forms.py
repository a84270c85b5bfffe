"""What the forms of OpenAI's clients ask for.

Reference: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maie.asr.v1 import asr_pb2 as asr
from maie.catalog.v1 import catalog_pb2 as catalog
from maie.job.v1 import job_pb2 as job
from maie_client.config import FEATURES
from maie_client.text import sendable_name
from maie_core.durations import duration
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.openai.errors import unsupported
from maie_web.openai.models import check_model

LABELS = {"api": "openai"}
"""What jobs that come this way are labelled with."""
DIARIZED = "diarized_json"
TRANSLATION_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
FORMATS = (*TRANSLATION_FORMATS, DIARIZED)
GRANULARITIES = ("segment", "word")
TRANSCRIPTS = ("raw_transcript", "clean_transcript")
_NO_SAMPLES = "Speakers are not recognised by samples of their voices"
# What OpenAI's own models alone have.
_UNSUPPORTED = {
    "include": "Log probabilities of tokens are not kept",
    "known_speaker_names": _NO_SAMPLES,
    "known_speaker_references": _NO_SAMPLES,
}
_TRANSLATION = {"file", "model", "prompt", "response_format", "temperature"}
_EXTENSIONS = {"hotwords", "features", "store"}
_TRANSCRIPTION = _TRANSLATION | {
    "chunking_strategy",
    "keywords",
    "language",
    "languages",
    "stream",
    "timestamp_granularities",
    *_UNSUPPORTED,
}
_VAD = {"type", "threshold", "silence_duration_ms", "prefix_padding_ms"}


@dataclass(kw_only=True, frozen=True, slots=True)
class Asked:
    """What a form asks for.

    Attributes:
        config: The job.
        response_format: One of FORMATS.
        granularities: Of which of GRANULARITIES times are wanted.
        stream: Whether the text comes while it is recognised.
        store: Whether the job is kept after the answer.
    """

    config: job.JobConfig
    response_format: str
    granularities: Collection[str]
    stream: bool
    store: bool


class Fields:
    """The fields of a form; lists are `name[]` or `name`, objects `name[key]`."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._lists: dict[str, list[str]] = {}
        self._objects: dict[str, dict[str, str]] = {}
        for name, values in fields.items():
            base, bracket, key = name.partition("[")
            if bracket and key != "]":
                self._objects.setdefault(base, {})[key.removesuffix("]")] = values[-1]
            else:
                self._lists.setdefault(base, []).extend(values)

    @property
    def names(self) -> Collection[str]:
        """The names of all fields."""
        return self._lists.keys() | self._objects.keys()

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return self._lists.get(name, [default])[-1]

    def many(self, name: str) -> list[str]:
        """All values of a list."""
        return [value for value in self._lists.get(name, ()) if value]

    def choice(self, name: str, among: Sequence[str], default: str) -> str:
        """A value that must be one of some.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID.
        """
        value = self.one(name, default)
        if value not in among:
            raise _wrong(name, f"one of {', '.join(among)}")
        return value

    def flag(self, name: str) -> bool:
        """Whether a field is true; false where it is left out.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID.
        """
        value = self.one(name, "false").lower()
        if value not in ("true", "false"):
            raise _wrong(name, "true or false")
        return value == "true"

    def number(self, name: str) -> float | None:
        """A number; None where it is left out.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID.
        """
        value = self.one(name)
        return _number(name, value) if value else None

    def object(self, name: str) -> dict[str, Any] | str:
        """An object in either spelling, by keys or as JSON; otherwise the word that is there.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID.
        """
        if name in self._objects:
            return dict(self._objects[name])
        value = self.one(name)
        if not value.startswith("{"):
            return value
        try:
            parsed: dict[str, Any] = json.loads(value)
        except (ValueError, RecursionError):
            raise _wrong(name, "an object") from None
        return parsed


def transcription(
    form: Mapping[str, Sequence[str]], filename: str, models: Sequence[catalog.Model]
) -> Asked:
    """What a form for a transcription asks for.

    Args:
        form: The values of its fields.
        filename: The name of its file.
        models: The mesh's models.

    Raises:
        StageError: NOT_FOUND with MODEL_UNKNOWN; INVALID_ARGUMENT naming the field.
    """
    fields = Fields(form)
    _check_names(fields, _TRANSCRIPTION | _EXTENSIONS)
    for name, why in _UNSUPPORTED.items():
        if name in fields.names:
            raise unsupported(name, why)
    granularities = fields.many("timestamp_granularities") or ["segment"]
    if unknown := set(granularities) - set(GRANULARITIES):
        raise _wrong("timestamp_granularities", f"word or segment, and not {min(unknown)}")
    asked = _asked(fields, filename, models, granularities, FORMATS)
    if asked.response_format == DIARIZED:
        asked.config.features.append(job.FEATURE_SPEAKERS)
    options = asked.config.asr_options
    options.language_code = _language(fields)
    _take_chunking(fields, options)
    is_text = asked.response_format in ("json", "text")
    if asked.stream and not is_text:
        raise unsupported("stream", "A stream has text alone, and no times")
    if "timestamp_granularities" in fields.names and asked.response_format != "verbose_json":
        raise _wrong("timestamp_granularities", "left out unless response_format is verbose_json")
    return asked


def translation(
    form: Mapping[str, Sequence[str]], filename: str, models: Sequence[catalog.Model]
) -> Asked:
    """What a form for an English translation asks for; as `transcription`."""
    fields = Fields(form)
    _check_names(fields, _TRANSLATION | _EXTENSIONS)
    asked = _asked(fields, filename, models, ["segment"], TRANSLATION_FORMATS)
    asked.config.asr_options.task = asr.TRANSCRIBE_TASK_TRANSLATE
    return asked


def not_known_yet(filename: str) -> job.JobConfig:
    """A job for a file that comes before the fields; what counts is checked at the end."""
    return job.JobConfig(
        features=[job.FEATURE_RAW_TRANSCRIPT],
        filename=sendable_name(filename),
        lane=job.LANE_INTERACTIVE,
        labels=LABELS,
    )


def _asked(
    fields: Fields,
    filename: str,
    models: Sequence[catalog.Model],
    granularities: Sequence[str],
    formats: Sequence[str],
) -> Asked:
    if not (name := fields.one("model")):
        raise _wrong("model", "the name of a model")
    check_model(name, models)
    config = not_known_yet(filename)
    wanted = fields.choice("features", TRANSCRIPTS, "clean_transcript")
    config.features[:] = [FEATURES[wanted]]
    options = config.asr_options
    options.hotwords.extend(fields.many("keywords") + fields.many("hotwords"))
    if "word" in granularities:
        options.word_time_offsets = True
    if prompt := fields.one("prompt"):
        options.initial_prompt = prompt
    temperature = fields.number("temperature")
    if temperature:  # at 0 OpenAI leaves it to the engine, too
        options.decoding.temperatures.append(temperature)
    return Asked(
        config=config,
        response_format=fields.choice("response_format", formats, "json"),
        granularities=granularities,
        stream=fields.flag("stream"),
        store=fields.flag("store"),
    )


def _language(fields: Fields) -> str:
    """The one language that a form names; empty where it is to be detected."""
    named = fields.many("language") or fields.many("languages")
    if len(named) > 1:
        raise unsupported("languages", "Several possible languages cannot be named")
    return named[0] if named else ""


def _take_chunking(fields: Fields, options: asr.TranscribeOptions) -> None:
    strategy = fields.object("chunking_strategy")
    if strategy in ("", "auto"):
        return  # what the mesh does anyway
    if not isinstance(strategy, dict) or strategy.get("type") != "server_vad":
        raise _wrong("chunking_strategy", "auto, or an object of the type server_vad")
    if unknown := strategy.keys() - _VAD:
        raise _wrong("chunking_strategy", f"without {min(unknown)}")
    silence = options.silence
    silence.vad_filter = True
    if "threshold" in strategy:
        silence.threshold = _number("chunking_strategy", strategy["threshold"])
    for key, field in (("silence_duration_ms", "min_silence"), ("prefix_padding_ms", "speech_pad")):
        if key in strategy:
            milliseconds = _number("chunking_strategy", strategy[key])
            getattr(silence, field).CopyFrom(duration(milliseconds / 1000))


def _check_names(fields: Fields, known: Collection[str]) -> None:
    if unknown := set(fields.names) - set(known):
        raise invalid(
            Reason.FIELD_INVALID,
            "The form has a field that is not known here; leave it out.",
            field=min(unknown),
        )


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _wrong(name, "a number") from None
    if not abs(number) < 1e9:
        raise _wrong(name, "a number")
    return number


def _wrong(name: str, needed: str) -> StageError:
    return invalid(Reason.FIELD_INVALID, f"`{name}` must be {needed}.", field=name)
