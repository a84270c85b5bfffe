"""Finished jobs as Deepgram's answers."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_core.speakers import speaker_number
from maie_formats.transcript import Line, groups, lines
from maie_web.deepgram.options import RecordingOptions

Spoken = tuple[common.Segment, Line]


def answer(finished: job.Job, asked: RecordingOptions, sha256: str) -> dict[str, Any]:
    """The answer.

    Args:
        finished: The job.
        asked: What was asked for.
        sha256: The hash of the recording, as hexadecimal digits.
    """
    spoken = _spoken(finished.results)
    numbers = sorted({segment.channel for segment, _ in spoken}) if asked.multichannel else [0]
    found: dict[str, Any] = {
        "channels": [
            _channel([each for each in spoken if each[0].channel == number or not number], asked)
            | _language(finished.results, asked)
            for number in numbers or [0]
        ]
    }
    if asked.utterances:
        found["utterances"] = [utterance(*each) for each in spoken]
    return {"metadata": _metadata(finished, len(numbers) or 1, sha256), "results": found}


def words_of(segment: common.Segment, line: Line) -> list[dict[str, Any]]:
    """The words of a segment; as they were spoken, where enhancement joined or dropped some."""
    said = _speaker(segment)
    if line.word_times:
        times = zip(line.text.split(), line.word_times, strict=True)
        return [word(text, *place, segment.confidence) | said for text, place in times]
    return [
        word(each.word, seconds(each.start_offset), seconds(each.end_offset), each.confidence)
        | said
        for each in segment.words
    ]


def word(text: str, start: float, end: float, confidence: float) -> dict[str, Any]:
    """A word; times in seconds."""
    text = text.strip()
    return {
        "word": text.strip(string.punctuation).lower() or text,
        "punctuated_word": text,
        "start": start,
        "end": end,
        "confidence": confidence,
    }


def utterance(segment: common.Segment, line: Line) -> dict[str, Any]:
    """A segment."""
    return {
        "id": segment.segment_id,
        "start": line.start,
        "end": line.end,
        "confidence": segment.confidence,
        "channel": max(0, segment.channel - 1),
        "transcript": line.text,
        "words": words_of(segment, line),
        **_speaker(segment),
    }


def _speaker(segment: common.Segment) -> dict[str, int]:
    """The speaker's number, from 0; nothing where speakers were not asked for."""
    number = speaker_number(segment.speaker)
    return {"speaker": number - 1} if number else {}


def _spoken(results: job.JobResults) -> list[Spoken]:
    found = [
        (segment, line)
        for segment in results.segments
        for line in lines(job.JobResults(segments=[segment]))
    ]
    return sorted(found, key=lambda each: each[1].start)


def _channel(spoken: Sequence[Spoken], asked: RecordingOptions) -> dict[str, Any]:
    sure = [segment.confidence for segment, _ in spoken]
    best: dict[str, Any] = {
        "transcript": " ".join(line.text for _, line in spoken),
        "confidence": sum(sure) / len(sure) if sure else 0.0,
        "words": [each for segment, line in spoken for each in words_of(segment, line)],
    }
    if asked.paragraphs or asked.smart_format:
        best["paragraphs"] = _paragraphs(spoken)
    return {"alternatives": [best]}


def _paragraphs(spoken: Sequence[Spoken]) -> dict[str, Any]:
    of_voice = {line.voice: _speaker(segment) for segment, line in spoken}
    made: list[dict[str, Any]] = [
        {
            "sentences": [
                {"text": line.text, "start": line.start, "end": line.end} for line in group
            ],
            "num_words": sum(len(line.text.split()) for line in group),
            "start": group[0].start,
            "end": group[-1].end,
            **of_voice[group[0].voice],
        }
        for group in groups([line for _, line in spoken])
    ]
    return {"transcript": "\n\n".join(_labelled(made)), "paragraphs": made}


def _labelled(paragraphs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The text of each paragraph, with the speaker on a new line where another one speaks."""
    before = None
    for each in paragraphs:
        speaker, text = each.get("speaker"), " ".join(one["text"] for one in each["sentences"])
        yield text if speaker == before else f"\nSpeaker {speaker}: {text}"
        before = speaker


def _language(results: job.JobResults, asked: RecordingOptions) -> dict[str, Any]:
    return {"detected_language": results.language_code} if asked.detect_language else {}


def _metadata(finished: job.Job, channels: int, sha256: str) -> dict[str, Any]:
    engines = [each.engine for each in finished.versions.stages if each.stage == common.STAGE_ASR]
    return {
        "transaction_key": "deprecated",
        "request_id": finished.job_id,
        "sha256": sha256,
        "created": finished.create_time.ToJsonString(),
        "duration": seconds(finished.metrics.input_duration),
        "channels": channels,
        "models": [name_of(each) for each in engines],
        "model_info": {name_of(each): model_info(each) for each in engines},
    }


def name_of(engine: common.EngineVersion) -> str:
    """The name of a model, as `GET /v1/models` has it."""
    return engine.model_name or engine.engine


def model_info(engine: common.EngineVersion) -> dict[str, str]:
    """What recognised the speech."""
    return {"name": name_of(engine), "version": engine.library, "arch": engine.engine}
