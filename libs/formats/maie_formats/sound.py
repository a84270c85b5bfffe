"""How good the sound of a recording is, in words."""

from __future__ import annotations

from collections.abc import Iterator

from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import seconds


def findings(report: quality.QualityReport) -> Iterator[str]:
    """What was measured, a line each; what was not is left out."""
    if report.HasField("overall"):
        parts = [
            f"{name} {summary.mean:.1f}"
            for name, summary in (("speech", report.speech), ("background", report.background))
            if report.HasField(name)
        ]
        detail = f" ({', '.join(parts)})" if parts else ""
        yield f"Predicted opinion: {report.overall.mean:.1f} of 5{detail}"
    if report.HasField("snr_db"):
        yield f"Speech over noise: {report.snr_db:.0f} dB"
    if report.HasField("loudness_lufs"):
        yield f"Loudness: {report.loudness_lufs:.1f} LUFS{_range(report)}"
    if report.clipping_ratio:
        yield f"Clipped: {report.clipping_ratio:.2%} of the samples"
    if report.HasField("bandwidth_hertz"):
        yield f"Bandwidth: {report.bandwidth_hertz / 1000:.1f} kHz"
    if report.HasField("reverberation_seconds"):
        yield f"Reverberation: {report.reverberation_seconds:.1f} s"
    if report.HasField("hum"):
        yield f"Hum: {report.hum.hertz} Hz at {report.hum.level_dbfs:.0f} dBFS"
    if report.HasField("echo"):
        delay = 1000 * seconds(report.echo.delay)
        yield f"Echo: after {delay:.0f} ms, {-report.echo.level_db:.0f} dB below the sound"
    if report.dropout_count:
        yield f"Dropouts: {report.dropout_count}"
    yield f"Silence: {report.silence_share:.0%}"


def _range(report: quality.QualityReport) -> str:
    if not report.HasField("loudness_range_lu"):
        return ""
    return f", range {report.loudness_range_lu:.1f} LU"
