"""The secrets of a job's webhooks, in a bucket that no worker may read.

A record names its entry. Entries never change, so a submit that loses a race does not affect the
secrets of the winner. They are overwritten on the disk when their job is removed.
"""

from __future__ import annotations

from contextlib import suppress

import uuid_utils
from google.protobuf.message import DecodeError

from maie.job.v1 import record_pb2 as record
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError

_STREAM = subjects.bucket_stream(subjects.SECRETS)


class WebhookSecrets:
    """The bucket of secrets.

    Raises:
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def store(self, key: str, secrets: record.WebhookSecrets) -> None:
        """Stores the secrets that `take_out` returned."""
        data = await self._broker.sealed(_job_of(key), secrets.SerializeToString())
        # The key is of this write alone: where it is there, an answer was lost.
        with suppress(KeyWrongLastSequenceError):
            await self._broker.secrets.create(key, data)

    async def of(self, stored: record.JobRecord) -> list[str]:
        """A secret for each webhook of a record; empty ones where they are lost."""
        webhooks = stored.config.webhooks
        if not stored.secrets_key:
            # A record of an earlier release contains them.
            return [webhook.secret for webhook in webhooks]
        try:
            entry = await self._broker.secrets.get(stored.secrets_key)
            data = await self._broker.opened(stored.job_id, entry.value or b"")
            found = list(record.WebhookSecrets.FromString(data).secrets)
        except (KeyNotFoundError, DecodeError):
            found = []
        return found if len(found) == len(webhooks) else [""] * len(webhooks)

    async def erase(self, pattern: str) -> None:
        """Overwrites entries on the disk: one by its key, or all of a job, `JOB.*`."""
        await erase_all(self._broker, _STREAM, subjects.bucket_subject(subjects.SECRETS, pattern))


def _job_of(key: str) -> str:
    return key.partition(".")[0]


def take_out(whole: record.JobRecord) -> record.WebhookSecrets | None:
    """Moves the secrets out of a record, and names in it the entry to store them under.

    Returns:
        The secrets; None where the record has none.
    """
    secrets = [webhook.secret for webhook in whole.config.webhooks]
    if not any(secrets):
        return None
    whole.secrets_key = f"{whole.job_id}.{uuid_utils.uuid7()}"
    for webhook in whole.config.webhooks:
        webhook.ClearField("secret")
    return record.WebhookSecrets(secrets=secrets)
