"""The texts that recordings are compared with: checked, stored, and never shown again."""

from __future__ import annotations

import hashlib

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import StageError, invalid
from maie_core.reading import check_reading_text
from maie_core.reasons import Reason
from maie_runtime import folders
from maie_runtime.blobs import Blobs


def settle_reading(config: job.JobConfig) -> None:
    """Fills in what a reading needs; without the feature, its options are dropped.

    Raises:
        StageError: INVALID_ARGUMENT naming the invalid field.
    """
    if job.FEATURE_READING not in config.features:
        config.ClearField("reading_options")
        return
    check_reading_text(config.reading_options.text, field="config.reading_options.text")
    options = config.asr_options
    if options.HasField("word_time_offsets") and not options.word_time_offsets:
        raise _not_supported(
            "A text is compared with words by their times; leave word_time_offsets unset.",
            "config.asr_options.word_time_offsets",
        )
    if options.task == asr.TRANSCRIBE_TASK_TRANSLATE:
        raise _not_supported(
            "A text is compared with the words as they were spoken; leave the task unset.",
            "config.asr_options.task",
        )
    channels = config.recording_options.channels
    if channels not in (preprocess.CHANNEL_MODE_UNSPECIFIED, preprocess.CHANNEL_MODE_MIX):
        raise _not_supported(
            "A text is read on one channel; leave `channels` unset, so that they are mixed.",
            "config.recording_options.channels",
        )
    if config.recording_options.all_tracks:
        raise _not_supported(
            "A text is read on one track; name it, or leave `all_tracks` unset.",
            "config.recording_options.all_tracks",
        )
    options.word_time_offsets = True
    config.recording_options.channels = preprocess.CHANNEL_MODE_MIX


async def store_text(
    blobs: Blobs, job_id: str, config: job.JobConfig
) -> tuple[common.Blob | None, job.JobConfig]:
    """Stores the text of a reading, if any; returns where, and the config without it.

    Args:
        blobs: The object store.
        job_id: The job.
        config: What is asked for, with defaults filled in.
    """
    if not config.HasField("reading_options"):
        return None, config
    prefix = f"{folders.of_job(job_id)}/reading-options"
    return await blobs.put_message(prefix, config.reading_options), _without_text(config)


def is_same(asked: job.JobConfig, stored: job.JobConfig, options: common.Blob) -> bool:
    """Whether a config asks for the same as that of a job.

    Args:
        asked: The config, with defaults filled in.
        stored: The job's config.
        options: The job's stored ReadingOptions; empty without them.
    """
    digest = ""
    if asked.HasField("reading_options"):
        content = asked.reading_options.SerializeToString(deterministic=True)
        digest = hashlib.sha256(content).hexdigest()
    return _without_text(asked) == stored and digest == options.sha256


def _without_text(config: job.JobConfig) -> job.JobConfig:
    rest = job.JobConfig()
    rest.CopyFrom(config)
    if rest.HasField("reading_options"):
        rest.reading_options.ClearField("text")
    return rest


def _not_supported(message: str, field: str) -> StageError:
    return invalid(Reason.OPTION_NOT_SUPPORTED, message, field=field)
