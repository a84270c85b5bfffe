"""What is let in: which config, and how many jobs at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from maie.job.v1 import job_pb2 as job
from maie_gateway.changes import JobChanges
from maie_gateway.upload import check_extension
from maie_runtime.errors import Code, StageError, invalid
from maie_runtime.options import check_generation, check_transcribe

DEFAULT_FEATURES = (job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY)
MIN_CHUNK_SECONDS = 5
MAX_CHUNK_SECONDS = 30 * 60
MAX_FILENAME_CHARACTERS = 255
# The config is kept in every job's record, which is bounded.
MAX_HOTWORDS = 100
MAX_HOTWORD_CHARACTERS = 64
MAX_LANGUAGE_CHARACTERS = 35  # RFC 5646, section 4.4.1
MAX_REQUEST_ID_CHARACTERS = 128
MAX_DISPLAY_NAME_CHARACTERS = 200
MAX_LABELS = 32
MAX_LABEL_CHARACTERS = 256
RETRY_AFTER = timedelta(seconds=10)
_LABEL_KEY = re.compile(r"[a-z0-9_-]{1,63}")


def settled_config(asked: job.JobConfig) -> job.JobConfig:
    """The config with defaults filled in.

    Raises:
        StageError: INVALID_ARGUMENT naming the field at fault.
    """
    config = job.JobConfig()
    config.CopyFrom(asked)
    features = asked.features or DEFAULT_FEATURES
    del config.features[:]
    config.features.extend(sorted(set(features)))
    _check_features(config)
    if len(config.filename) > MAX_FILENAME_CHARACTERS or "\0" in config.filename:
        raise invalid(
            "FILENAME_INVALID",
            f"A file name has at most {MAX_FILENAME_CHARACTERS} characters and no NUL; rename it.",
            field="config.filename",
        )
    check_extension(config.filename)
    if len(config.request_id) > MAX_REQUEST_ID_CHARACTERS:
        raise invalid(
            "REQUEST_ID_INVALID",
            f"A request id has at most {MAX_REQUEST_ID_CHARACTERS} characters; a UUID will do.",
            field="config.request_id",
        )
    check_display_name(config.display_name, field="config.display_name")
    check_labels(config.labels, field="config.labels")
    _settle_lane(config)
    _check_asr_options(config)
    check_generation(config.enhancement_generation, "config.enhancement_generation")
    check_generation(config.summary_generation, "config.summary_generation")
    if config.HasField("chunk_duration"):
        seconds = config.chunk_duration.ToTimedelta().total_seconds()
        if not MIN_CHUNK_SECONDS <= seconds <= MAX_CHUNK_SECONDS:
            raise invalid(
                "CHUNK_DURATION_INVALID",
                f"A chunk is {MIN_CHUNK_SECONDS} s to {MAX_CHUNK_SECONDS} s long, "
                f"not {seconds:g} s.",
                field="config.chunk_duration",
            )
    return config


def check_display_name(name: str, *, field: str) -> None:
    """Refuses a display name that is too long or breaks lines.

    Raises:
        StageError: INVALID_ARGUMENT with DISPLAY_NAME_INVALID.
    """
    if len(name) > MAX_DISPLAY_NAME_CHARACTERS or not (name.isprintable() or not name):
        raise invalid(
            "DISPLAY_NAME_INVALID",
            f"A display name is one line of at most {MAX_DISPLAY_NAME_CHARACTERS} characters.",
            field=field,
        )


def check_labels(labels: Mapping[str, str], *, field: str) -> None:
    """Refuses labels that are too many, too long or named otherwise.

    Raises:
        StageError: INVALID_ARGUMENT with LABELS_INVALID.
    """
    fit = len(labels) <= MAX_LABELS and all(
        _LABEL_KEY.fullmatch(key) and len(value) <= MAX_LABEL_CHARACTERS
        for key, value in labels.items()
    )
    if not fit:
        raise invalid(
            "LABELS_INVALID",
            f"A job has at most {MAX_LABELS} labels: keys of up to 63 characters of a-z, 0-9, _ "
            f"and -, values of up to {MAX_LABEL_CHARACTERS} characters.",
            field=field,
        )


def _settle_lane(config: job.JobConfig) -> None:
    if config.lane not in job.Lane.values():
        raise invalid(
            "LANE_UNKNOWN",
            f"There is no lane {config.lane}; choose LANE_INTERACTIVE or LANE_BATCH.",
            field="config.lane",
        )
    config.lane = config.lane or job.LANE_BATCH


def _check_asr_options(config: job.JobConfig) -> None:
    options = config.asr_options
    if len(options.language_code) > MAX_LANGUAGE_CHARACTERS:
        raise invalid(
            "LANGUAGE_INVALID",
            f"A language code has at most {MAX_LANGUAGE_CHARACTERS} characters, such as en-GB.",
            field="config.asr_options.language_code",
        )
    longest = max(map(len, options.hotwords), default=0)
    if len(options.hotwords) > MAX_HOTWORDS or longest > MAX_HOTWORD_CHARACTERS:
        raise invalid(
            "HOTWORDS_INVALID",
            f"There may be {MAX_HOTWORDS} hotwords of {MAX_HOTWORD_CHARACTERS} characters each; "
            "name fewer or shorter ones.",
            field="config.asr_options.hotwords",
        )
    check_transcribe(options, "config.asr_options")


def _check_features(config: job.JobConfig) -> None:
    known = [value for value in job.Feature.values() if value != job.FEATURE_UNSPECIFIED]
    for feature in config.features:
        if feature not in known:
            names = ", ".join(job.Feature.Name(value) for value in known)
            raise invalid(
                "FEATURE_UNKNOWN",
                f"There is no feature {feature}; choose from {names}.",
                field="config.features",
            )
    if job.FEATURE_SUMMARY in config.features and not config.template_id:
        raise invalid(
            "TEMPLATE_REQUIRED",
            "A summary needs a template_id; ListTemplates shows those there are.",
            field="config.template_id",
        )
    if job.FEATURE_SUMMARY not in config.features:
        config.ClearField("template_id")


class Admission:
    """Counts unfinished jobs and uploads, and refuses what is over a limit.

    Args:
        changes: Knows the unfinished jobs.
        max_active_jobs: How many jobs of all tenants may be unfinished.
        max_active_jobs_per_tenant: How many of one tenant.
    """

    def __init__(
        self, changes: JobChanges, max_active_jobs: int, max_active_jobs_per_tenant: int
    ) -> None:
        self._changes = changes
        self._limit = max_active_jobs
        self._tenant_limit = max_active_jobs_per_tenant
        self._uploads: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def place(self, tenant: str, submit: str) -> Iterator[None]:
        """Holds a place in the queue while a recording is uploaded.

        Args:
            tenant: Whose job it becomes.
            submit: What tells submits apart. Those of the same name become the
                same job and need one place.

        Raises:
            StageError: RESOURCE_EXHAUSTED with TENANT_QUOTA or QUEUE_FULL and
                a retry hint.
        """
        if (tenant, submit) not in self._uploads:
            self._check(tenant)
        self._uploads[tenant, submit] += 1
        try:
            yield
        finally:
            self._uploads[tenant, submit] -= 1
            if not self._uploads[tenant, submit]:
                del self._uploads[tenant, submit]

    def _check(self, tenant: str) -> None:
        own = sum(owner == tenant for owner, _ in self._uploads) + self._active(tenant)
        if own >= self._tenant_limit:
            raise _full(
                "TENANT_QUOTA",
                f"{self._tenant_limit} jobs of tenant {tenant} are unfinished already",
            )
        if len(self._uploads) + len(self._changes.active) >= self._limit:
            raise _full("QUEUE_FULL", f"{self._limit} jobs are unfinished already")

    def _active(self, tenant: str) -> int:
        return sum(known.tenant == tenant for known in self._changes.active_jobs.values())


def _full(reason: str, message: str) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED, reason, f"{message}; try again later.", retry_after=RETRY_AFTER
    )
