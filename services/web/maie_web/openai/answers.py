"""Finished jobs as OpenAI's answers."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from litestar import Response

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_core.speakers import speaker_number
from maie_formats.clean import plain
from maie_formats.subtitles import srt, vtt
from maie_formats.transcript import lines
from maie_web.openai.forms import DIARIZED, Asked
from maie_web.openai.languages import name_of

ENGLISH = "english"
_WRITERS = {
    "text": lambda results: f"{text_of(results)}\n",
    "srt": srt,
    "vtt": vtt,
}


def answer(finished: job.Job, asked: Asked, headers: Mapping[str, str]) -> Response[Any]:
    """The answer in the format that was asked for."""
    if writer := _WRITERS.get(asked.response_format):
        return Response(
            writer(finished.results), media_type="text/plain; charset=utf-8", headers=headers
        )
    body = {"text": text_of(finished.results), "usage": _usage(finished)}
    if asked.response_format == "verbose_json":
        body |= _details(finished, asked)
    elif asked.response_format == DIARIZED:
        body |= _diarized(finished)
    return Response(body, headers=headers)


def text_of(results: job.JobResults) -> str:
    """The whole text on one line."""
    return " ".join(line.text for line in lines(results))


def _usage(finished: job.Job) -> dict[str, Any]:
    return {"type": "duration", "seconds": seconds(finished.metrics.input_duration)}


def _details(finished: job.Job, asked: Asked) -> dict[str, Any]:
    results, options = finished.results, asked.config.asr_options
    translated = options.task == asr.TRANSCRIBE_TASK_TRANSLATE
    details: dict[str, Any] = {
        "task": "translate" if translated else "transcribe",
        "language": ENGLISH if translated else name_of(results.language_code),
        "duration": seconds(finished.metrics.input_duration),
    }
    if "word" in asked.granularities:
        details["words"] = [_word(word) for each in results.segments for word in each.words]
    if "segment" in asked.granularities:
        temperature = max(options.decoding.temperatures, default=0.0)
        spoken = (each for each in results.segments if _text(each))
        details["segments"] = [
            _segment(number, each, temperature) for number, each in enumerate(spoken)
        ]
    return details


def _diarized(finished: job.Job) -> dict[str, Any]:
    spoken = (each for each in finished.results.segments if _text(each))
    return {
        "task": "transcribe",
        "duration": seconds(finished.metrics.input_duration),
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": each.segment_id,
                "start": seconds(each.start_offset),
                "end": seconds(each.end_offset),
                "text": _text(each),
                "speaker": letters(speaker_number(each.speaker)),
            }
            for each in spoken
        ],
    }


def letters(number: int) -> str:
    """What OpenAI calls the speaker of a number: A, B and so on, and AA after Z."""
    name = ""
    while number > 0:
        number, place = divmod(number - 1, len(ascii_uppercase))
        name = ascii_uppercase[place] + name
    return name


def _word(word: common.Word) -> dict[str, Any]:
    return {
        "word": word.word,
        "start": seconds(word.start_offset),
        "end": seconds(word.end_offset),
    }


def _text(segment: common.Segment) -> str:
    return plain(segment.clean_text if segment.HasField("clean_text") else segment.text)


def _segment(number: int, segment: common.Segment, temperature: float) -> dict[str, Any]:
    """A segment with all fields that typed clients require.

    What only Whisper's own decoder knows (`seek`, `tokens`, `no_speech_prob`) is 0 or empty, and
    so is `avg_logprob` where the engine has no confidence.
    """
    text = _text(segment)
    content = text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": seconds(segment.start_offset),
        "end": seconds(segment.end_offset),
        "text": text,
        "tokens": [],
        "temperature": temperature,
        "avg_logprob": math.log(segment.confidence) if segment.confidence > 0 else 0.0,
        # https://github.com/openai/whisper/blob/main/whisper/utils.py
        "compression_ratio": len(content) / len(zlib.compress(content)),
        "no_speech_prob": 0.0,
    }
