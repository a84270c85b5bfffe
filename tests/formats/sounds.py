"""Reports of sound for the tests of their formats and pages."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import duration

STEP_SECONDS = 5
CAUSES = {"snr_db": "9.4", "reverberation_seconds": "0.7"}


def report(*overall: float, note: str = "Expect more errors in the text.") -> quality.QualityReport:
    """The report of a noisy recording with these scores over time."""
    made = quality.QualityReport(
        snr_db=9.4,
        loudness_lufs=-23.1,
        loudness_range_lu=6.0,
        peak_dbfs=-1.2,
        clipping_ratio=0.0021,
        silence_share=0.25,
        bandwidth_hertz=3400,
        hum=quality.Hum(hertz=50, level_dbfs=-41.0),
        dropouts=[_range(6, 6.4)],
        dropout_count=1,
        reverberation_seconds=0.7,
        echo=quality.Echo(delay=duration(0.25), level_db=-8.0, share=0.9),
        warnings=[common.Warning(reason="POOR_SOUND", message=note, metadata=CAUSES)],
        engine=common.EngineVersion(
            engine="dnsmos", checkpoint_sha256="0123456789abcdef", device="cpu"
        ),
    )
    if overall:
        lowest = min(overall)
        mean = sum(overall) / len(overall)
        for summary in (made.overall, made.speech, made.background):
            summary.mean, summary.min, summary.percentile_10 = mean, lowest, lowest
    for place, score in enumerate(overall):
        made.windows.add(
            range=_range(STEP_SECONDS * place, STEP_SECONDS * place + 9),
            opinion=quality.Opinion(overall=score, speech=score, background=score),
            level_dbfs=-20.0,
        )
    return made


def whole_sound_alone(made: quality.QualityReport) -> quality.QualityReport:
    """The report as of an engine that rates nothing but the whole sound."""
    for name in ("speech", "background", "crowd"):
        made.ClearField(name)
        for window in made.windows:
            window.opinion.ClearField(name)
    return made


def _range(start: float, end: float) -> common.TimeRange:
    return common.TimeRange(start_offset=duration(start), end_offset=duration(end))
