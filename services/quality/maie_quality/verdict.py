"""What the quality of a recording lets expect of its transcript."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import seconds
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning

# By measurement (bench/quality_words.py, docs/quality.md).
NOISY_SNR: Final = 10.0
REVERBERANT_SECONDS: Final = 0.6
# Engines differ in how they use their scale. By another, which nobody measured, sound is poor as by
# `dnsmos`.
POOR_OVERALL: Final = MappingProxyType({"dnsmos": 2.2, "distillmos": 2.7})
_POOR_BY_OTHERS: Final = 2.2
# By the same measurement, an echo raises the errors, and lowers no score of DNSMOS.
LOUD_ECHO_DB: Final = -13.0
_ECHO_SHARE: Final = 0.2


def verdict(report: quality.QualityReport) -> list[common.Warning]:
    """The warnings of a report: one where more errors are to be expected, with its causes."""
    causes: list[str] = []
    values: dict[str, float] = {}
    if report.HasField("snr_db") and report.snr_db < NOISY_SNR:
        below = f"only {report.snr_db:.0f} dB below the speech"
        causes.append(f"the noise is {'louder than the speech' if report.snr_db < 0 else below}")
        values["snr_db"] = report.snr_db
    if report.reverberation_seconds >= REVERBERANT_SECONDS:
        causes.append(
            "the speech reverberates, as it does far from the microphone "
            f"({report.reverberation_seconds:.1f} s)"
        )
        values["reverberation_seconds"] = report.reverberation_seconds
    if report.echo.level_db >= LOUD_ECHO_DB and report.echo.share >= _ECHO_SHARE:
        causes.append(
            f"the speech has an echo after {seconds(report.echo.delay):.2f} s, "
            f"only {-report.echo.level_db:.0f} dB lower"
        )
        values["echo_delay_seconds"] = seconds(report.echo.delay)
        values["echo_level_db"] = report.echo.level_db
    poor = POOR_OVERALL.get(report.engine.engine, _POOR_BY_OTHERS)
    if report.HasField("overall") and report.overall.mean < poor:
        causes.append(f"listeners would rate the sound {report.overall.mean:.1f} of 5")
        values["overall"] = report.overall.mean
    if not causes:
        return []
    return [
        result_warning(
            WarningReason.POOR_SOUND,
            f"Expect more errors in the text: {', and '.join(causes)}.",
            metadata=values,
        )
    ]
