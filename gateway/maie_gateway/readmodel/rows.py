"""Writes of rows. An older revision never replaces a newer one."""

from __future__ import annotations

import functools
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from maie_gateway.readmodel.entries import JobEntry
from maie_gateway.readmodel.fulltext import FullText
from maie_gateway.readmodel.moments import JobText, TextMoment
from maie_gateway.readmodel.tables import jobs, labels, moments, texts
from maie_gateway.readmodel.words import joined, spaced, storable, words

# Whether the language is that of the text: a gateway of the release before indexes texts alone.
_HAS_LANGUAGE = jobs.c.language_indexed == jobs.c.text_indexed


def put_job(connection: Connection, entry: JobEntry) -> bool:
    """Writes a job's row and labels; False where the row is as new or newer."""
    values = asdict(entry) | {"text_indexed": "", "filters_revision": entry.revision}
    del values["labels"]
    number = connection.execute(_upsert(connection.dialect.name), values).scalar()
    if number is None:
        return False
    connection.execute(delete(labels).where(labels.c.number == number))
    if entry.labels:
        shared = {
            "number": number,
            "tenant": entry.tenant,
            "create_time": entry.create_time,
            "job_id": entry.job_id,
        }
        rows = [{**shared, "key": key, "value": value} for key, value in entry.labels.items()]
        connection.execute(insert(labels), rows)
    return True


def refresh_job(connection: Connection, entry: JobEntry) -> bool:
    """The same for a job that has a row already; False where it has none."""
    return _lock_job(connection, entry.job_id) is not None and put_job(connection, entry)


@functools.cache
def _upsert(dialect_name: str) -> Any:
    """The statement that writes a job's row; to build it takes longer than to run it."""
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    names = [field.name for field in fields(JobEntry) if field.name != "labels"]
    names.append("filters_revision")
    adding = dialect.insert(jobs).values(
        {name: bindparam(name) for name in (*names, "text_indexed")}
    )
    changed = {name: adding.excluded[name] for name in names if name != "job_id"}
    # The text is read again where its language was not.
    changed["text_indexed"] = case((_HAS_LANGUAGE, jobs.c.text_indexed), else_="")
    return adding.on_conflict_do_update(
        index_elements=[jobs.c.job_id],
        set_=changed,
        where=and_(
            jobs.c.revision <= adding.excluded.revision,
            _shown_revision() < adding.excluded.revision,
        ),
    ).returning(jobs.c.number)


def _shown_revision() -> ColumnElement[int]:
    """The revision that a row shows; 0 where filters would not find its job as they should."""
    return case(
        (and_(jobs.c.filters_revision == jobs.c.revision, _HAS_LANGUAGE), jobs.c.revision), else_=0
    )


def put_text(connection: Connection, index: FullText, found: JobText) -> bool:
    """Replaces a job's text; False where the job has it already, or wants another by now."""
    number = connection.execute(
        update(jobs)
        .where(jobs.c.job_id == found.job_id, jobs.c.text_wanted == found.version)
        .where(jobs.c.text_indexed != found.version)
        .values(text_indexed=found.version, language_indexed=found.version, language=found.language)
        .returning(jobs.c.number)
    ).scalar()
    if number is None:
        return False
    _remove_text(connection, index, number)
    rows = [_moment_row(number, position, moment) for position, moment in enumerate(found.moments)]
    rows = [row for row in rows if row["words"]]
    if rows:
        whole = joined(row["words"] for row in rows)
        connection.execute(insert(moments), rows)
        connection.execute(insert(texts).values(number=number, words=whole))
        index.add(connection, number, whole)
    return True


def _moment_row(number: int, position: int, moment: TextMoment) -> dict[str, Any]:
    return {
        "number": number,
        "position": position,
        "segment_id": storable(moment.segment_id),
        "pointer": storable(moment.pointer),
        "start_offset": moment.start,
        "end_offset": moment.end,
        "text": storable(moment.text),
        "words": spaced(words(moment.text)),
    }


def _remove_text(connection: Connection, index: FullText, number: int) -> None:
    index.remove(connection, number)
    connection.execute(delete(texts).where(texts.c.number == number))
    connection.execute(delete(moments).where(moments.c.number == number))


def _lock_job(connection: Connection, job_id: str) -> int | None:
    """The number of a job's row, which stays as it is until the transaction ends; None without."""
    locked = select(jobs.c.number).where(jobs.c.job_id == job_id).with_for_update()
    return connection.execute(locked).scalar()


def remove_job(connection: Connection, index: FullText, job_id: str) -> None:
    """Removes all of a job. An absent one is no error."""
    # Locked first, as everywhere, so that two gateways never wait for each other.
    number = _lock_job(connection, job_id)
    if number is not None:
        _remove_text(connection, index, number)
        connection.execute(delete(labels).where(labels.c.number == number))
        connection.execute(delete(jobs).where(jobs.c.number == number))


def revisions(connection: Connection) -> dict[str, int]:
    """The revision that each job is shown in, by job id; 0 for one that is not wholly shown."""
    found = connection.execute(select(jobs.c.job_id, _shown_revision().label("revision")))
    return {row.job_id: row.revision for row in found}


def without_text(connection: Connection, limit: int) -> list[str]:
    """Ids of finished jobs whose text is not indexed, the latest first."""
    found = connection.execute(
        select(jobs.c.job_id)
        .where(jobs.c.text_wanted != jobs.c.text_indexed, jobs.c.text_wanted != "")
        .order_by(jobs.c.number.desc())
        .limit(limit)
    )
    return list(found.scalars())


def count(connection: Connection, tenant: str | None) -> int:
    """How many jobs there are, of one tenant or of all."""
    counting = select(func.count()).select_from(jobs)
    if tenant is not None:
        counting = counting.where(jobs.c.tenant == tenant)
    return connection.execute(counting).scalar_one()


def count_by_tenant(connection: Connection) -> dict[str, int]:
    """How many jobs each tenant has that has any."""
    counting = select(jobs.c.tenant, func.count()).group_by(jobs.c.tenant)
    return {row[0]: row[1] for row in connection.execute(counting)}
