"""The dashboards of a mesh: Pipeline, Live, Engines and Tenants."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.panels import Figure, Graph, dashboard


def quantiles(metric: str, by: str = "", where: str = "") -> dict[str, str]:
    """The 50th, 95th and 99th percentiles of a histogram.

    Args:
        metric: Its name without `_bucket`.
        by: A label to keep apart.
        where: Matchers, in braces.
    """
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return {
        f"p{round(100 * share)}{legend}": f"histogram_quantile({share}, "
        f"sum by ({labels}) (rate({metric}_bucket{where}[$__rate_interval])))"
        for share in (0.5, 0.95, 0.99)
    }


def rate(metric: str, by: str, where: str = "", legend: str = "") -> dict[str, str]:
    """The rate of a counter, by labels."""
    shown = legend or " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return {shown: f"sum by ({by}) (rate({metric}{where}[$__rate_interval]))"}


RATE = "[$__rate_interval]"
CALLS = "rpc_server_call_duration_seconds"
STATUS = "rpc_response_status_code"


def _active(state: str) -> str:
    return f'sum(max by (lane) (maie_jobs_active{{state="{state}"}}))'


def pipeline() -> Dashboard:
    """What comes in, what waits, what comes out, and what fails."""
    figures = (
        Figure(title="Jobs running", query=_active("running")),
        Figure(title="Jobs held", query=_active("held")),
        Figure(
            title="Oldest unit, interactive",
            query='max(stage_lane:maie_queue_oldest_age_seconds:max{lane="interactive"})',
            unit="s",
            bad=60,
        ),
        Figure(title="Dead letters", query="max(maie_dead_letters_stored)", bad=1),
        Figure(title="Processes not ready", query="count(maie_ready == 0) or vector(0)", bad=1),
        Figure(
            title="Audio hours an hour",
            query=f"sum(rate(maie_job_audio_seconds_total{RATE}))",
        ),
    )
    graphs = (
        Graph(
            title="Jobs that end",
            queries=rate("maie_job_duration_seconds_count", "pipeline, state"),
            unit="reqps",
        ),
        Graph(
            title="From acceptance to the end",
            queries=quantiles("maie_job_duration_seconds", "pipeline", '{state="complete"}'),
            unit="s",
        ),
        Graph(
            title="Units that could run, and slots",
            queries={
                "{{stage}} could run": "stage:maie_demand_units:sum",
                "{{stage}} slots": "stage:maie_capacity_slots:max",
            },
            about="A stage with more units than slots for long needs more workers.",
        ),
        Graph(
            title="Oldest queued unit",
            queries={"{{stage}} {{lane}}": "stage_lane:maie_queue_oldest_age_seconds:max"},
            unit="s",
        ),
        Graph(
            title="Units in the queues",
            queries={"{{stage}} {{lane}} {{state}}": "stage_lane_state:maie_queue_units:max"},
        ),
        Graph(
            title="Redeliveries and retries",
            queries={
                **rate("maie_task_redeliveries_total", "stage, cause"),
                **rate("maie_unit_retries_total", "stage", legend="{{stage}} retried"),
            },
            unit="reqps",
            about="Lost: workers died or hung. Retried: units failed for a reason that may pass.",
        ),
        Graph(title="Calls", queries=rate(f"{CALLS}_count", "rpc_method"), unit="reqps"),
        Graph(
            title="Calls that fail",
            queries=rate(f"{CALLS}_count", f"rpc_method, {STATUS}", f'{{{STATUS}!="OK"}}'),
            unit="reqps",
        ),
        Graph(
            title="Uploads",
            queries={
                **rate("maie_uploads_total", "outcome"),
                "bytes": "sum(rate(maie_upload_size_bytes_total[$__rate_interval]))",
            },
        ),
        Graph(
            title="Dead letters, foreign events, and webhooks of jobs and finals",
            queries={
                **rate("maie_dead_letters_total", "kind", legend="dead letter {{kind}}"),
                **rate("maie_events_foreign_total", "stage", legend="foreign event of {{stage}}"),
                **rate(
                    "maie_webhook_deliveries_total",
                    "about, outcome",
                    legend="webhook {{about}} {{outcome}}",
                ),
            },
            unit="reqps",
        ),
        Graph(
            title="Errors of NATS and the object store",
            queries={
                **rate("maie_broker_errors_total", "kind", legend="NATS {{kind}}"),
                **rate("maie_store_errors_total", "reason"),
            },
            unit="reqps",
        ),
        Graph(
            title="Event loop lag",
            queries={
                "{{instance}}": "histogram_quantile(0.99, sum by (le, instance) "
                "(rate(maie_loop_lag_seconds_bucket[$__rate_interval])))"
            },
            unit="s",
        ),
    )
    return dashboard("maie-pipeline", "Pipeline", figures, graphs)


def live() -> Dashboard:
    """Live speech: how many speak, how soon they read it, and what breaks."""
    figures = (
        Figure(title="Sessions", query="sum(maie_live_sessions)"),
        Figure(title="Tracks", query="sum(maie_live_tracks)"),
        Figure(
            title="Room for tracks", query="sum(maie_asr_live_limit) - sum(maie_asr_live_tracks)"
        ),
        Figure(
            title="Finals later than a second",
            query="maie:late_finals:ratio_rate5m",
            unit="percentunit",
            bad=0.05,
        ),
    )
    graphs = (
        Graph(
            title="End of speech to final",
            queries=quantiles("maie_live_final_latency_seconds"),
            unit="s",
        ),
        Graph(
            title="Partial results",
            queries=quantiles("maie_live_partial_latency_seconds"),
            unit="s",
        ),
        Graph(title="Behind the speakers", queries=quantiles("maie_live_lag_seconds"), unit="s"),
        Graph(
            title="Audio that went to another replica",
            queries=rate("maie_live_retries_total", "reason"),
            unit="reqps",
        ),
        Graph(
            title="Sessions and tracks",
            queries={
                "sessions": "sum(maie_live_sessions)",
                "tracks": "sum(maie_live_tracks)",
                "limit": "sum(maie_asr_live_limit)",
            },
        ),
        Graph(
            title="Live audio a second",
            queries={"audio": "sum(rate(maie_live_audio_seconds_total[$__rate_interval]))"},
        ),
    )
    return dashboard("maie-live", "Live", figures, graphs)


def engines() -> Dashboard:
    """What the workers' engines do, and what they need."""
    figures = (
        Figure(title="Workers", query="count(maie_worker_slots)"),
        Figure(
            title="Slots busy",
            query="sum(maie_unit_active) / sum(maie_worker_slots)",
            unit="percentunit",
        ),
        Figure(title="Models not loaded", query="count(maie_model_loaded == 0) or vector(0)"),
    )
    graphs = (
        Graph(
            title="Real-time factor",
            queries={"{{stage}}": "stage:maie_real_time_factor:rate5m"},
            about="Seconds of an engine for a second of audio; below 1 is faster than speech.",
        ),
        Graph(
            title="Slots busy",
            queries={"{{stage}}": "stage:maie_slots_busy:ratio"},
            unit="percentunit",
        ),
        Graph(
            title="How long units run",
            queries=quantiles("maie_unit_duration_seconds", "stage", '{kind="unit"}'),
            unit="s",
        ),
        Graph(
            title="How long units wait",
            queries=quantiles("maie_queue_wait_seconds", "stage"),
            unit="s",
        ),
        Graph(
            title="Units by outcome",
            queries=rate("maie_unit_duration_seconds_count", "stage, outcome"),
            unit="reqps",
        ),
        Graph(
            title="Recordings with a warning",
            queries={"{{reason}}": "reason:maie_recordings_warned:ratio_rate6h > 0"},
            unit="percentunit",
            about="The share of complete recordings of six hours. UNREAD_SPEECH and SUSPECT_TEXT "
            "that rise with a new model are the model's.",
        ),
        Graph(
            title="Results with a warning",
            queries=rate("maie_results_warned_total", "stage, reason"),
            unit="reqps",
            about="Of asr by chunk, of preprocess and summary by recording.",
        ),
        Graph(
            title="Mean batch size",
            queries={
                "{{stage}}": f"sum by (stage) (rate(maie_engine_batch_rows_total{RATE})) "
                f"/ sum by (stage) (rate(maie_engine_batches_total{RATE}))"
            },
        ),
        Graph(
            title="Requests in the engines",
            queries={"{{stage}} {{state}}": "sum by (stage, state) (maie_engine_requests)"},
            about="Many that wait: the engine's batch is full (MAIE_SUMMARY_VLLM_MAX_NUM_SEQS).",
        ),
        Graph(
            title="Loads of models",
            queries={
                **rate("maie_model_loads_total", "stage", legend="{{stage}} loads"),
                **rate("maie_model_load_time_seconds_total", "stage", legend="{{stage}} time"),
            },
        ),
        Graph(
            title="Memory",
            queries={"{{instance}} {{kind}}": "max by (instance, kind) (maie_worker_memory_bytes)"},
            unit="bytes",
        ),
        Graph(title="Audio read", queries=rate("maie_audio_processed_seconds_total", "stage")),
    )
    return dashboard("maie-engines", "Engines", figures, graphs)


def _top(how: str, series: str) -> str:
    """The ten tenants with the most of something."""
    return f"topk(10, {how} by (tenant) ({series}))"


def tenants() -> Dashboard:
    """Who uses the mesh, and how much."""
    figures = (
        Figure(
            title="Tenants with work",
            query="count(max by (tenant) (maie_tenant_active) > 0)",
        ),
        Figure(
            title="Jobs accepted a minute",
            query=f"60 * sum(rate(maie_jobs_accepted_total{RATE}))",
        ),
    )
    graphs = (
        Graph(
            title="Unfinished jobs",
            queries={"{{tenant}}": _top("max", "maie_tenant_active")},
        ),
        Graph(
            title="Audio a second",
            queries={"{{tenant}}": _top("sum", f"rate(maie_tenant_audio_seconds_total{RATE})")},
        ),
        Graph(
            title="Jobs that end",
            queries={"{{tenant}}": _top("sum", f"rate(maie_tenant_jobs_total{RATE})")},
            unit="reqps",
        ),
        Graph(
            title="Jobs that fail",
            queries=rate("maie_tenant_jobs_total", "tenant", '{state="failed"}'),
            unit="reqps",
        ),
    )
    return dashboard("maie-tenants", "Tenants", figures, graphs)


DASHBOARDS = {"pipeline": pipeline, "live": live, "engines": engines, "tenants": tenants}
