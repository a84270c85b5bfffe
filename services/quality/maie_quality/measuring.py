"""The map step: measures a chunk and rates its windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import duration, seconds, time_range
from maie_quality.engine import Engine, Opinion, Rating
from maie_quality.signals.dropouts import find_dropouts
from maie_quality.signals.echoes import find_echo
from maie_quality.signals.hum import find_hum
from maie_quality.signals.levels import FULL_SCALE, decibels, frame_powers, speech_levels
from maie_quality.signals.reverberation import find_reverberation
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, Speech, SpeechRange

MAX_DROPOUTS: Final = 100


def measure(
    speech: Speech,
    chunk: preprocess.Chunk,
    engine: Engine,
    step: float,
    heartbeat: Callable[[], None],
) -> quality.Measures:
    """Measures a chunk. Blocks.

    Args:
        speech: The chunk's audio.
        chunk: The chunk; its place gives the times.
        engine: Rates windows; those in which somebody speaks count.
        step: The seconds from one window to the next.
        heartbeat: Called every few seconds.
    """
    measures = quality.Measures(engine=engine.version)
    samples = speech.samples
    if not len(samples):
        return measures
    offset = seconds(chunk.range.start_offset)
    powers = frame_powers(samples)
    levels = speech_levels(powers, speech.ranges)
    dropouts = find_dropouts(samples, speech.ranges, levels.speech)
    measures.speech_power, measures.noise_power = levels.speech, levels.noise
    measures.speech_duration.CopyFrom(duration(levels.speech_seconds))
    measures.noise_duration.CopyFrom(duration(levels.noise_seconds))
    measures.duration.CopyFrom(duration(speech.seconds))
    measures.dc_offset = float(samples.mean(dtype=np.float64)) / FULL_SCALE
    measures.dropout_count = len(dropouts)
    measures.dropouts.extend(
        _range(each.start, each.end, offset) for each in dropouts[:MAX_DROPOUTS]
    )
    heartbeat()
    if hum := find_hum(samples):
        measures.hum.CopyFrom(quality.Hum(hertz=hum.hertz, level_dbfs=hum.level))
    if echo := find_echo(samples):
        level = 20 * math.log10(echo.gain)
        measures.echo.CopyFrom(quality.Echo(delay=duration(echo.delay), level_db=level, share=1.0))
    heartbeat()
    room = find_reverberation(powers)
    if room is not None:
        measures.reverberation_seconds = room
    measures.windows.extend(
        _window(rating, samples, chunk, offset)
        for rating in engine.rate(samples, step, heartbeat)
        if _is_spoken(rating, speech.ranges)
    )
    return measures


def _is_spoken(rating: Rating, speech: Sequence[SpeechRange]) -> bool:
    return any(each.start < rating.end and each.end > rating.start for each in speech)


def _window(
    rating: Rating, samples: Samples, chunk: preprocess.Chunk, offset: float
) -> quality.QualityWindow:
    sound = samples[rating.start : rating.end].astype(np.float64) / FULL_SCALE
    return quality.QualityWindow(
        range=_range(rating.start, rating.end, offset),
        opinion=opinion_message(rating.opinion),
        level_dbfs=decibels(float(np.mean(sound**2))),
        channel=chunk.channel,
        track=chunk.track,
    )


def opinion_message(opinion: Opinion) -> quality.Opinion:
    """An opinion as the contract has it."""
    return quality.Opinion(
        overall=opinion.overall,
        speech=opinion.speech,
        background=opinion.background,
        crowd=opinion.crowd,
    )


def _range(start: int, end: int, offset: float) -> common.TimeRange:
    """Samples of a chunk as a range of the recording."""
    return time_range(start / SAMPLE_RATE + offset, end / SAMPLE_RATE + offset)
