"""The panels of dashboards, made with Grafana's own types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as dashboard_builder
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
COLUMNS = 24
STAT_HEIGHT, GRAPH_HEIGHT = 4, 8


@dataclass(kw_only=True, frozen=True, slots=True)
class Graph:
    """A panel over time.

    Attributes:
        title: Its title.
        queries: PromQL, by the legend of its series.
        unit: A unit of Grafana's, such as "s" or "bytes".
        about: What it shows, and when to worry.
    """

    title: str
    queries: dict[str, str]
    unit: str = "short"
    about: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class Figure:
    """A panel with the number of now.

    Attributes:
        title: Its title.
        query: PromQL of one series.
        unit: A unit of Grafana's.
        bad: From where on it is red; None for never.
    """

    title: str
    query: str
    unit: str = "short"
    bad: float | None = None


def dashboard(
    uid: str, title: str, figures: Sequence[Figure], graphs: Sequence[Graph]
) -> Dashboard:
    """A dashboard: a line of figures, and graphs below, two beside each other.

    Args:
        uid: Its id in Grafana, which stays.
        title: Its title.
        figures: The figures of the first line.
        graphs: The graphs.
    """
    made = (
        dashboard_builder.Dashboard(f"maie: {title}")
        .uid(uid)
        .tags(["maie"])
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard_builder.DatasourceVariable("source").label("Prometheus").type("prometheus")
        )
    )
    width = COLUMNS // max(1, len(figures))
    for place, figure in enumerate(figures):
        at = GridPos(h=STAT_HEIGHT, w=width, x=place * width, y=0)
        made.with_panel(_figure(figure).id(1 + place).grid_pos(at))
    half = COLUMNS // 2
    for place, graph in enumerate(graphs):
        row, column = divmod(place, 2)
        top = STAT_HEIGHT + row * GRAPH_HEIGHT
        at = GridPos(h=GRAPH_HEIGHT, w=half, x=column * half, y=top)
        made.with_panel(_graph(graph).id(1 + len(figures) + place).grid_pos(at))
    return made.build()


def _figure(figure: Figure) -> stat.Panel:
    steps = [Threshold(None, "green")]
    if figure.bad is not None:
        steps.append(Threshold(figure.bad, "red"))
    thresholds = dashboard_builder.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    return (
        stat.Panel()
        .title(figure.title)
        .datasource(SOURCE)
        .unit(figure.unit)
        .thresholds(thresholds)
        .with_target(_query(figure.query, "", "A"))
    )


def _graph(graph: Graph) -> timeseries.Panel:
    legend = (
        common_builder.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    panel = (
        timeseries.Panel()
        .title(graph.title)
        .description(graph.about)
        .datasource(SOURCE)
        .unit(graph.unit)
        .min(0)
        .legend(legend)
        .fill_opacity(10)
    )
    for place, (name, query) in enumerate(graph.queries.items()):
        panel.with_target(_query(query, name, chr(ord("A") + place)))
    return panel


def _query(query: str, legend: str, ref: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query).legend_format(legend).ref_id(ref).datasource(SOURCE)
