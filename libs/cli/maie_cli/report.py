"""Prints a finished job: transcript, summary, metrics and versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.duration_pb2 import Duration
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from maie.job.v1 import job_pb2 as job
from maie_cli.names import stage_name
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.document import moments
from maie_formats.summary import Item, Reading, Section, reading
from maie_formats.transcript import paragraphs
from maie_formats.voices import shares
from maie_formats.warnings import sentences
from maie_formats.writers import Finished

INDENT = (0, 0, 0, 2)
BELOW_TABLE = (0, 0, 1, 2)
HASH_DIGITS = 12


def print_report(console: Console, finished: Finished) -> None:
    """Prints a finished job."""
    results = finished.job.results
    if warnings := sentences(results):
        lines = (Text.assemble(("• ", "yellow"), each) for each in warnings)
        console.print(_panel("warnings", Group(*lines), style="yellow"))
    if speakers := shares(results.speakers):
        console.print(_panel("speakers", Text(", ".join(speakers))))
    console.print(_panel("transcript", _transcript(results)))
    if results.HasField("summary"):
        view = reading(results.summary, finished.template, results.speakers)
        console.print(_panel("summary", Group(*_summary(view))))
    metrics, versions = finished.job.metrics, finished.job.versions
    console.print(_titled("what it cost", _metrics(metrics), _figures(metrics)))
    console.print(_titled("what made it", _versions(versions), _other_versions(versions)))


def _panel(title: str, content: RenderableType, style: str = "cyan") -> Panel:
    return Panel(content, title=title, title_align="left", border_style=style, padding=(1, 2))


def _titled(title: str, table: Table, notes: Iterable[str]) -> Group:
    below = Padding(Text(", ".join(notes), style="dim"), BELOW_TABLE)
    return Group(Text(title, style="bold cyan"), table, below)


def _transcript(results: job.JobResults) -> Text:
    return Text("\n\n".join(paragraphs(results)) or "Nobody spoke.")


def _summary(view: Reading) -> Iterator[RenderableType]:
    if view.title:
        yield Text(view.title, style="bold")
    for section in view.sections:
        yield Text(f"\n{section.title}", style="cyan")
        yield from _items(section)


def _items(section: Section) -> Iterator[RenderableType]:
    for item in section.items:
        bullet = "• " if section.is_list else ""
        yield Padding(_item(item, bullet), INDENT)


def _item(item: Item, bullet: str) -> Text:
    details = "; ".join(f"{label.lower()}: {text}" for label, text in item.details)
    return Text.assemble(
        bullet,
        item.text,
        (f" ({details})" if details else "", "italic"),
        (f" {moments(item)}" if item.moments else "", "dim"),
    )


def _metrics(metrics: job.JobMetrics) -> Table:
    table = _table("stage", "units", "audio", "work", "real-time factor")
    for stage in metrics.stages:
        table.add_row(
            stage_name(stage.stage),
            str(stage.units),
            _length(stage.audio_duration),
            _length(stage.processing_duration),
            f"{stage.real_time_factor:.3f}",
        )
    table.add_section()
    table.add_row(
        "the whole job",
        str(sum(stage.units for stage in metrics.stages)),
        _length(metrics.input_duration),
        _length(metrics.processing_duration),
        f"{metrics.real_time_factor:.3f}",
        style="bold",
    )
    return table


def _figures(metrics: job.JobMetrics) -> Iterator[str]:
    if metrics.HasField("quality"):
        quality = metrics.quality
        yield f"speech {quality.vad_coverage:.0%}"
        if quality.HasField("loudness_lufs"):
            yield f"loudness {quality.loudness_lufs:.1f} LUFS"
        yield f"clipping {quality.clipping_ratio:.2%}"
    if metrics.HasField("edit_rate"):
        yield f"edit rate {metrics.edit_rate:.1%}"
    if kept := metrics.kept_segment_count:
        yield f"{kept} segments kept as they were spoken"
    if metrics.HasField("asr_confidence"):
        yield f"confidence {metrics.asr_confidence:.2f}"


def _versions(versions: job.JobVersions) -> Table:
    table = _table("stage", "engine", "library", "model", "checkpoint")
    for each in versions.stages:
        engine = each.engine
        table.add_row(
            stage_name(each.stage),
            plain(engine.engine),
            plain(engine.library),
            plain(f"{engine.model_name} {engine.model_variant}"),
            engine.checkpoint_sha256[:HASH_DIGITS],
        )
    return table


def _other_versions(versions: job.JobVersions) -> Iterator[str]:
    yield f"pipeline {plain(versions.pipeline)}"
    if versions.HasField("template"):
        template = versions.template
        yield f"template {plain(template.template_id)} {template.sha256[:HASH_DIGITS]}"


def _table(*headers: str) -> Table:
    return Table(*headers, box=box.SIMPLE, title_justify="left", header_style="dim")


def _length(duration: Duration) -> str:
    return f"{seconds(duration):.1f} s"


def print_files(console: Console, paths: Iterable[object]) -> None:
    """Lists files, one on each line."""
    for path in paths:
        console.print(Text(f"  {path}"), soft_wrap=True)
