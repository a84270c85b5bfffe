"""A row for each recording, as CSV and JSON have it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from maie.job.v1 import job_pb2 as job
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.table import no_formula


@dataclass(kw_only=True, frozen=True, slots=True)
class Moment:
    """How a part of a recording is rated.

    Attributes:
        start: Where it begins, in seconds.
        end: Where it ends.
        overall: What listeners would say of it, 1 to 5.
    """

    start: float
    end: float
    overall: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Row:
    """The quality of one recording; None where something could not be measured.

    Attributes:
        file: Its path as it was named.
        error: Why it has no figures; empty where it has them.
        seconds: How long it is.
        overall: The mean opinion score of the whole sound, 1 to 5.
        overall_percentile_10: That which a tenth of its windows is below.
        speech: The mean opinion score of the speech.
        background: That of the background.
        crowd: That of the whole sound by listeners without training.
        snr_db: Speech over noise.
        loudness_lufs: Integrated loudness.
        loudness_range_lu: The loudness range.
        peak_dbfs: The highest sample.
        clipping_ratio: Clipped samples over all.
        silence_share: How much of it nobody speaks.
        bandwidth_hertz: The highest frequency of the speech.
        dc_offset: The mean sample; full scale is 1.
        hum_hertz: The frequency of mains hum.
        hum_dbfs: Its level.
        dropouts: How often the sound breaks off.
        reverberation_seconds: How long sound takes to fade by 60 dB.
        echo_seconds: The delay of an echo.
        echo_db: Its level relative to the sound.
        model: What predicted the scores.
        device: Where that ran.
        warnings: What a person should know.
        moments: The overall score over time; not in tables.
    """

    file: str
    error: str = ""
    seconds: float | None = None
    overall: float | None = None
    overall_percentile_10: float | None = None
    speech: float | None = None
    background: float | None = None
    crowd: float | None = None
    snr_db: float | None = None
    loudness_lufs: float | None = None
    loudness_range_lu: float | None = None
    peak_dbfs: float | None = None
    clipping_ratio: float | None = None
    silence_share: float | None = None
    bandwidth_hertz: int | None = None
    dc_offset: float | None = None
    hum_hertz: int | None = None
    hum_dbfs: float | None = None
    dropouts: int | None = None
    reverberation_seconds: float | None = None
    echo_seconds: float | None = None
    echo_db: float | None = None
    model: str = ""
    device: str = ""
    warnings: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = field(default=(), repr=False)


def row_of(done: job.Job, file: str) -> Row:
    """The row of a job that has a report of its sound.

    Args:
        done: The job.
        file: What the row calls its recording.
    """
    report = done.results.quality_report
    return Row(
        file=file,
        seconds=round(seconds(done.metrics.input_duration), 3),
        overall=_mean(report, "overall"),
        overall_percentile_10=(
            _rounded(report.overall.percentile_10) if report.HasField("overall") else None
        ),
        speech=_mean(report, "speech"),
        background=_mean(report, "background"),
        crowd=_mean(report, "crowd"),
        snr_db=_given(report, "snr_db"),
        loudness_lufs=_given(report, "loudness_lufs"),
        loudness_range_lu=_given(report, "loudness_range_lu"),
        peak_dbfs=_given(report, "peak_dbfs"),
        clipping_ratio=_rounded(report.clipping_ratio, 6),
        silence_share=_rounded(report.silence_share),
        bandwidth_hertz=report.bandwidth_hertz if report.HasField("bandwidth_hertz") else None,
        dc_offset=_rounded(report.dc_offset, 6),
        hum_hertz=report.hum.hertz if report.HasField("hum") else None,
        hum_dbfs=_rounded(report.hum.level_dbfs) if report.HasField("hum") else None,
        dropouts=report.dropout_count,
        reverberation_seconds=_given(report, "reverberation_seconds"),
        echo_seconds=seconds(report.echo.delay) if report.HasField("echo") else None,
        echo_db=_rounded(report.echo.level_db) if report.HasField("echo") else None,
        model=f"{report.engine.engine} {report.engine.checkpoint_sha256[:12]}".strip(),
        device=report.engine.device,
        warnings=tuple(plain(each.message) for each in done.results.warnings),
        moments=tuple(
            Moment(
                start=seconds(each.range.start_offset),
                end=seconds(each.range.end_offset),
                overall=_rounded(each.opinion.overall),
            )
            for each in report.windows
        ),
    )


def row_from(values: dict[str, Any]) -> Row:
    """The row of values that `asdict` made.

    Raises:
        TypeError: They are of another version.
    """
    moments = tuple(Moment(**each) for each in values.get("moments", ()))
    return Row(**values | {"warnings": tuple(values.get("warnings", ())), "moments": moments})


def as_csv(rows: Sequence[Row]) -> str:
    """A table with a line for each recording; what is not known is empty."""
    made = io.StringIO()
    names = [each.name for each in fields(Row) if each.name != "moments"]
    table = csv.writer(made, lineterminator="\n")
    table.writerow(names)
    for row in rows:
        table.writerow([_cell(getattr(row, name)) for name in names])
    return made.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """The rows as JSON, with the scores over time."""
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return no_formula(" ".join(value))
    return no_formula(value) if isinstance(value, str) else value


def _mean(report: quality.QualityReport, name: str) -> float | None:
    return _rounded(getattr(report, name).mean) if report.HasField(name) else None


def _given(report: quality.QualityReport, name: str) -> float | None:
    return _rounded(getattr(report, name)) if report.HasField(name) else None


def _rounded(value: float, digits: int = 3) -> float:
    return round(value, digits)
