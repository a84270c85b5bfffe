"""Text that clients give their jobs (names, labels, hints), stored where it can be erased.

The broker may keep the bytes of replaced entries of a record on the disk. So
the client's text is stored in separate messages, which are overwritten when the
job is removed.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import aclosing
from datetime import datetime

from google.protobuf.message import DecodeError

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase, erase_all
from maie_runtime.bus.errors import NotFoundError
from maie_runtime.bus.whole_stream import whole_stream

_CONFIG_FIELDS = ("filename", "request_id", "display_name", "labels", "webhooks")
_ASR_FIELDS = ("hotwords", "initial_prompt")
# Each event of a job needs the job's names, so they are cached.
REMEMBERED_JOBS = 1000


class Names:
    """The stream of names.

    Raises:
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._known: OrderedDict[int, record.JobNames] = OrderedDict()
        self._prefetched: dict[int, bytes] = {}

    async def store(self, job_id: str, names: record.JobNames) -> int:
        """Stores a job's names and returns their sequence."""
        data = await self._broker.sealed(job_id, names.SerializeToString())
        stored = await self._broker.jetstream.publish(
            subjects.names(job_id), data, stream=subjects.NAMES
        )
        self._remember(stored.seq, names)
        return stored.seq

    async def complete(self, bare: record.JobRecord) -> None:
        """Puts a record's names back into it. Erased names stay empty."""
        sequence = bare.names_sequence
        if not sequence:
            return
        if (names := self._known.get(sequence)) is not None:
            self._known.move_to_end(sequence)
        elif (data := self._prefetched.get(sequence)) is not None:
            names = await self._parsed(bare.job_id, data)
        else:
            names = await self._read(bare.job_id, sequence)
        bare.config.MergeFrom(names.config)
        bare.display_name = names.display_name
        bare.labels.update(names.labels)
        bare.speaker_names.update(names.speaker_names)

    async def prefetch(self) -> None:
        """Reads all names at once; `forget_prefetched` drops them."""
        self._prefetched = {}
        reading = whole_stream(self._broker.jetstream, subjects.NAMES, subjects.names("*"))
        async with aclosing(reading) as messages:
            async for found in messages:
                self._prefetched[found.metadata.sequence.stream] = found.data

    def forget_prefetched(self) -> None:
        """Forgets what `prefetch` read."""
        self._prefetched = {}

    async def stored_at(self, job_id: str) -> datetime | None:
        """When a job's names were stored last; None where it has none."""
        try:
            last = await self._broker.jetstream.get_last_msg(subjects.NAMES, subjects.names(job_id))
        except NotFoundError:
            return None
        return last.time

    async def erase(self, job_id: str, *, before: int | None = None) -> None:
        """Overwrites a job's names on the disk.

        Args:
            job_id: The job.
            before: Only those with a lower sequence.
        """
        erased = await erase_all(
            self._broker, subjects.NAMES, subjects.names(job_id), before=before
        )
        for sequence in erased:
            self._known.pop(sequence, None)

    async def erase_one(self, sequence: int) -> None:
        """Overwrites one message on the disk. An absent one is no error."""
        self._known.pop(sequence, None)
        await erase(self._broker, subjects.NAMES, sequence)

    async def _read(self, job_id: str, sequence: int) -> record.JobNames:
        try:
            found = await self._broker.jetstream.get_msg(subjects.NAMES, sequence)
        except NotFoundError:
            return record.JobNames()
        # Sequences of a recreated stream begin at 1 again.
        if found.subject != subjects.names(job_id):
            return record.JobNames()
        names = await self._parsed(job_id, found.data or b"")
        self._remember(sequence, names)
        return names

    async def _parsed(self, job_id: str, data: bytes) -> record.JobNames:
        try:
            return record.JobNames.FromString(await self._broker.opened(job_id, data))
        except DecodeError:
            return record.JobNames()

    def _remember(self, sequence: int, names: record.JobNames) -> None:
        self._known[sequence] = names
        if len(self._known) > REMEMBERED_JOBS:
            self._known.popitem(last=False)


def names_of(whole: record.JobRecord) -> record.JobNames:
    """The client's text in a record."""
    names = record.JobNames(
        display_name=whole.display_name, labels=whole.labels, speaker_names=whole.speaker_names
    )
    _copy(whole.config, names.config)
    return names


def without_names(whole: record.JobRecord) -> record.JobRecord:
    """A copy of a record without the client's text."""
    bare = record.JobRecord()
    bare.CopyFrom(whole)
    for name in _CONFIG_FIELDS:
        bare.config.ClearField(name)
    for name in _ASR_FIELDS:
        if bare.config.HasField("asr_options"):
            bare.config.asr_options.ClearField(name)
    bare.ClearField("display_name")
    bare.ClearField("labels")
    bare.ClearField("speaker_names")
    return bare


def _copy(config: job.JobConfig, names: job.JobConfig) -> None:
    for field, value in config.ListFields():
        if field.name in ("labels", "webhooks"):
            getattr(names, field.name).MergeFrom(value)
        elif field.name in _CONFIG_FIELDS:
            setattr(names, field.name, value)
    names.asr_options.hotwords.extend(config.asr_options.hotwords)
    if config.asr_options.HasField("initial_prompt"):
        names.asr_options.initial_prompt = config.asr_options.initial_prompt
    if not names.asr_options.ByteSize():
        names.ClearField("asr_options")
