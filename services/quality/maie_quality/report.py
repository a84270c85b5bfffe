"""The reduce step: one report of the measures of all chunks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Final

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import duration, seconds
from maie_quality.measuring import MAX_DROPOUTS
from maie_quality.signals.levels import decibels
from maie_quality.verdict import verdict

MAX_WINDOWS: Final = 720
# Noise hides how sound fades (dB).
_LEAST_SNR: Final = 15.0
# Echoes whose delays differ by no more are one (s).
_SAME_DELAY: Final = 0.002
# Noise that is measured in less is none (s).
_LEAST_NOISE: Final = 0.5
_SCORES: Final = ("overall", "speech", "background", "crowd")


def make_report(
    parts: Sequence[quality.Measures], preprocessed: preprocess.PreprocessResult
) -> quality.QualityReport:
    """The report of a recording.

    Args:
        parts: The measures of its chunks, in recording order.
        preprocessed: The figures of the recording as it was received.
    """
    sound = preprocessed.quality
    report = quality.QualityReport(
        clipping_ratio=sound.clipping_ratio,
        silence_share=min(max(1 - sound.vad_coverage, 0.0), 1.0),
    )
    for name in ("loudness_lufs", "loudness_range_lu", "peak_dbfs", "bandwidth_hertz"):
        if sound.HasField(name):
            setattr(report, name, getattr(sound, name))
    _add_signals(report, parts)
    windows = sorted(
        (window for part in parts for window in part.windows), key=lambda window: _start(window)
    )
    _add_scores(report, windows)
    report.windows.extend(thinned(windows))
    if windows:
        report.engine.CopyFrom(next(part.engine for part in parts if part.windows))
    report.warnings.extend(verdict(report))
    return report


def _add_signals(report: quality.QualityReport, parts: Sequence[quality.Measures]) -> None:
    """Adds what was measured in the sound of all chunks, each by how much it holds of it."""
    speech = _mean([(seconds(part.speech_duration), part.speech_power) for part in parts])
    noise = _mean([(seconds(part.noise_duration), part.noise_power) for part in parts])
    if sum(seconds(part.noise_duration) for part in parts) >= _LEAST_NOISE and speech > noise:
        # Digital silence has no level: the least step of 16 bits stands for it.
        report.snr_db = 10 * math.log10((speech - noise) / max(noise, 2.0**-30))
    report.dc_offset = _mean([(seconds(part.duration), part.dc_offset) for part in parts])
    report.dropout_count = sum(part.dropout_count for part in parts)
    dropouts = sorted(
        (each for part in parts for each in part.dropouts),
        key=lambda each: each.start_offset.ToNanoseconds(),
    )
    report.dropouts.extend(dropouts[:MAX_DROPOUTS])
    if hum := _hum(parts):
        report.hum.CopyFrom(hum)
    if echo := _echo(parts):
        report.echo.CopyFrom(echo)
    rooms = [part for part in parts if part.HasField("reverberation_seconds")]
    is_noisy = report.HasField("snr_db") and report.snr_db < _LEAST_SNR
    if rooms and not is_noisy:
        report.reverberation_seconds = _mean(
            [(seconds(part.duration), part.reverberation_seconds) for part in rooms]
        )


def _hum(parts: Sequence[quality.Measures]) -> quality.Hum | None:
    """The hum that more than half of the sound has; None where there is none."""
    lengths: dict[int, float] = defaultdict(float)
    powers: dict[int, float] = defaultdict(float)
    for part in parts:
        if part.HasField("hum"):
            length = seconds(part.duration)
            lengths[part.hum.hertz] += length
            powers[part.hum.hertz] += length * 10 ** (part.hum.level_dbfs / 10)
    total = sum(seconds(part.duration) for part in parts)
    for hertz, length in lengths.items():
        if length > total / 2:
            return quality.Hum(hertz=hertz, level_dbfs=decibels(powers[hertz] / length) or 0.0)
    return None


def _echo(parts: Sequence[quality.Measures]) -> quality.Echo | None:
    """The echo that most of the sound has; None where none was found."""
    found = sorted(
        (seconds(part.echo.delay), part.echo.level_db, seconds(part.duration))
        for part in parts
        if part.HasField("echo")
    )
    groups: list[list[tuple[float, float, float]]] = []
    for each in found:
        if groups and each[0] - groups[-1][0][0] <= _SAME_DELAY:
            groups[-1].append(each)
        else:
            groups.append([each])
    if not groups:
        return None
    most = max(groups, key=lambda group: sum(length for *_, length in group))
    return quality.Echo(
        delay=duration(_mean([(length, delay) for delay, _, length in most])),
        level_db=_mean([(length, level) for _, level, length in most]),
        share=sum(length for *_, length in most) / sum(seconds(part.duration) for part in parts),
    )


def _add_scores(report: quality.QualityReport, windows: Sequence[quality.QualityWindow]) -> None:
    for name in _SCORES:
        opinions = [window.opinion for window in windows]
        scores = [getattr(each, name) for each in opinions if _has(each, name)]
        if scores:
            low, middle, high = np.percentile(scores, (10, 50, 90)).tolist()
            getattr(report, name).CopyFrom(
                quality.ScoreSummary(
                    mean=fmean(scores),
                    min=min(scores),
                    percentile_10=low,
                    median=middle,
                    percentile_90=high,
                )
            )


def _has(opinion: quality.Opinion, name: str) -> bool:
    return name == "overall" or opinion.HasField(name)


def thinned(windows: Sequence[quality.QualityWindow]) -> list[quality.QualityWindow]:
    """At most `MAX_WINDOWS` windows: of many, several of one channel become one, with their mean.

    Args:
        windows: The windows by their beginnings.
    """
    if len(windows) <= MAX_WINDOWS:
        return list(windows)
    lanes: dict[tuple[int, int], list[quality.QualityWindow]] = defaultdict(list)
    for window in windows:
        lanes[window.track, window.channel].append(window)
    size = math.ceil(len(windows) / (MAX_WINDOWS - len(lanes) + 1))
    joined = [
        _joined(lane[first : first + size])
        for lane in lanes.values()
        for first in range(0, len(lane), size)
    ]
    return sorted(joined, key=_start)[:MAX_WINDOWS]


def _joined(windows: Sequence[quality.QualityWindow]) -> quality.QualityWindow:
    made = quality.QualityWindow(
        range=common.TimeRange(
            start_offset=windows[0].range.start_offset, end_offset=windows[-1].range.end_offset
        ),
        channel=windows[0].channel,
        track=windows[0].track,
    )
    for name in _SCORES:
        scores = [getattr(each.opinion, name) for each in windows if _has(each.opinion, name)]
        if scores:
            setattr(made.opinion, name, fmean(scores))
    levels = [each.level_dbfs for each in windows if each.HasField("level_dbfs")]
    if levels:
        made.level_dbfs = decibels(fmean(10 ** (level / 10) for level in levels)) or 0.0
    return made


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    """The mean of (weight, value); 0 for no weight."""
    total = sum(weight for weight, _ in weighted)
    return sum(weight * value for weight, value in weighted) / total if total else 0.0


def _start(window: quality.QualityWindow) -> int:
    return window.range.start_offset.ToNanoseconds()
