"""The tables that both databases have. Times are microseconds since 1970 (UTC)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

# Counts up where a table changes in a way that gateways of the release before could not work with:
# a database of another version is emptied when it is opened, and fills itself again. Columns with
# a default are added in place instead, so that gateways of both releases go on.
SCHEMA_VERSION = 3

metadata = MetaData()

# SQLite counts by itself only in a column of exactly the type INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

versions = Table("readmodel_version", metadata, Column("version", Integer, nullable=False))

jobs = Table(
    "readmodel_jobs",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("job_id", String(36), nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("state", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("update_time", BigInteger, nullable=False),
    Column("finish_time", BigInteger),
    # Empty without a recording. A gateway of the release before, at the same database, writes none.
    Column("recording_sha256", Text, nullable=False, server_default=""),
    # The bucket's revision of the record that the row shows.
    Column("revision", BigInteger, nullable=False),
    # The serialised maie.job.v1.Job without results.
    Column("view", LargeBinary, nullable=False),
    # Names the results whose text belongs to the job, empty where there are none yet,
    Column("text_wanted", Text, nullable=False),
    # and those whose text is indexed.
    Column("text_indexed", Text, nullable=False),
    # Empty without a summary.
    Column("template_id", Text, nullable=False, server_default=""),
    # The words of the speakers' names, as `words.joined` writes them.
    Column("speakers", Text, nullable=False, server_default=""),
    # The revision that these two are of: an older one where a gateway of the release before, at the
    # same database, wrote the row.
    Column("filters_revision", BigInteger, nullable=False, server_default="0"),
    # The spoken language in lower case; empty where it is not known,
    Column("language", Text, nullable=False, server_default=""),
    # and the results that it is of, named as above.
    Column("language_indexed", Text, nullable=False, server_default=""),
    Index("readmodel_jobs_newest", "tenant", "create_time", "job_id"),
    Index("readmodel_jobs_by_recording", "tenant", "recording_sha256", "create_time", "job_id"),
    Index("readmodel_jobs_by_state", "tenant", "state", "create_time", "job_id"),
)

Index(
    "readmodel_jobs_without_text",
    jobs.c.number,
    sqlite_where=jobs.c.text_wanted != jobs.c.text_indexed,
    postgresql_where=jobs.c.text_wanted != jobs.c.text_indexed,
)

labels = Table(
    "readmodel_labels",
    metadata,
    Column("number", ForeignKey(jobs.c.number, ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    # The job's own, so that one index gives the newest jobs with a label.
    Column("tenant", Text, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("job_id", String(36), nullable=False),
    Index("readmodel_labels_newest", "tenant", "key", "value", "create_time", "job_id"),
)

# The words of all of a job's moments, as `words.joined` writes them.
texts = Table(
    "readmodel_texts",
    metadata,
    Column("number", ForeignKey(jobs.c.number, ondelete="CASCADE"), primary_key=True),
    Column("words", Text, nullable=False),
)

moments = Table(
    "readmodel_moments",
    metadata,
    Column("number", ForeignKey(jobs.c.number, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("segment_id", Text, nullable=False),
    Column("pointer", Text, nullable=False),
    # Unset where the moment has no place in the recording.
    Column("start_offset", BigInteger),
    Column("end_offset", BigInteger),
    Column("text", Text, nullable=False),
    Column("words", Text, nullable=False),
)
