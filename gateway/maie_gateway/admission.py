"""What is let in: which config, and how many jobs at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from maie.job.v1 import job_pb2 as job
from maie_gateway.changes import JobChanges
from maie_gateway.upload import check_extension
from maie_runtime.errors import Code, StageError, invalid

DEFAULT_FEATURES = (job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY)
MIN_CHUNK_SECONDS = 5
MAX_CHUNK_SECONDS = 30 * 60
MAX_FILENAME_CHARACTERS = 255
# The config is kept in every job's record, which is bounded.
MAX_HOTWORDS = 100
MAX_HOTWORD_CHARACTERS = 64
MAX_LANGUAGE_CHARACTERS = 35  # RFC 5646, section 4.4.1
RETRY_AFTER = timedelta(seconds=10)


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
    _check_asr_options(config)
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
    """Counts unfinished jobs and uploads, and refuses what is over the limit."""

    def __init__(self, changes: JobChanges, max_active_jobs: int) -> None:
        self._changes = changes
        self._limit = max_active_jobs
        self._uploads = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Holds a place in the queue while a recording is uploaded.

        Raises:
            StageError: RESOURCE_EXHAUSTED with QUEUE_FULL and a retry hint.
        """
        if len(self._changes.active) + self._uploads >= self._limit:
            raise StageError(
                Code.RESOURCE_EXHAUSTED,
                "QUEUE_FULL",
                f"{self._limit} jobs are unfinished already; try again later.",
                retry_after=RETRY_AFTER,
            )
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1
