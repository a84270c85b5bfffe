"""The index of words: FTS5 in SQLite, GIN in PostgreSQL.

It finds the jobs that contain all words of a query; their moments have the places.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    cast,
    column,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from maie_gateway.readmodel.query import Term
from maie_gateway.readmodel.tables import texts
from maie_gateway.readmodel.words import TEXT_END

# PostgreSQL takes 1 MiB of lexemes in one row, with a few bytes around each.
# A recording of ten hours has about a third of this.
MAX_LEXEME_BYTES = 700_000
LEXEME_OVERHEAD_BYTES = 8
# With words in so many jobs, the newest 200 are among the newest 4,000 of 100,000, and that is
# quicker than to look up all of those that have them.
FREQUENT_ROWS = 5_000
# Of the index at a time: some ten milliseconds, so that others can write in between.
MERGE_PAGES = 100
LEAST_MERGE_CHANGES = 2


class FullText(Protocol):
    """One database's index over `texts`."""

    def create(self, connection: Connection) -> None:
        """Makes the index where there is none."""

    def drop(self, connection: Connection) -> None:
        """Removes the index."""

    def add(self, connection: Connection, number: int, words: str) -> None:
        """Indexes a row of `texts` that was just written."""

    def remove(self, connection: Connection, number: int) -> None:
        """Takes a row of `texts` out of the index, before it is removed."""

    def purge(self, connection: Connection) -> bool:
        """Takes some of what was removed out of the index's own files; whether there is more."""

    def found(self, connection: Connection, terms: Sequence[Term]) -> ColumnElement[bool]:
        """The condition on `texts` that all terms are in it."""


class Fts5:
    """SQLite's full text index, over the words in `texts`."""

    _index = table("readmodel_words", column("rowid"), column("readmodel_words"))

    def __init__(self) -> None:
        self._merging = False

    def create(self, connection: Connection) -> None:
        """Makes the virtual table; its tokenizer splits at the spaces of `spaced`."""
        connection.execute(
            text(
                "CREATE VIRTUAL TABLE IF NOT EXISTS readmodel_words USING fts5(words, "
                "content='readmodel_texts', content_rowid='number', tokenize='ascii')"
            )
        )

    def drop(self, connection: Connection) -> None:
        """Removes the virtual table."""
        connection.execute(text("DROP TABLE IF EXISTS readmodel_words"))

    def add(self, connection: Connection, number: int, words: str) -> None:
        """Adds the row's words."""
        connection.execute(
            text("INSERT INTO readmodel_words(rowid, words) VALUES (:number, :words)"),
            {"number": number, "words": words},
        )

    def remove(self, connection: Connection, number: int) -> None:
        """Removes the row's words, which FTS5 needs again for that."""
        connection.execute(
            text(
                "INSERT INTO readmodel_words(readmodel_words, rowid, words) "
                "SELECT 'delete', number, words FROM readmodel_texts WHERE number = :number"
            ),
            {"number": number},
        )

    def purge(self, connection: Connection) -> bool:
        """Merges a part of the index: FTS5 keeps removed words until all of it is merged.

        https://www.sqlite.org/fts5.html#the_merge_command: a negative number begins to merge all
        of it, a positive one goes on, and nothing is left where it changes less than two rows.
        """
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        before = raw.total_changes
        pages = MERGE_PAGES if self._merging else -MERGE_PAGES
        connection.execute(
            text("INSERT INTO readmodel_words(readmodel_words, rank) VALUES ('merge', :pages)"),
            {"pages": pages},
        )
        self._merging = raw.total_changes - before >= LEAST_MERGE_CHANGES
        return self._merging

    def found(self, connection: Connection, terms: Sequence[Term]) -> ColumnElement[bool]:
        """Phrases in quotes; words have letters and digits only, so they need no escaping."""
        phrases = (f'"{" ".join(term.words)}"' + "*" * term.prefix for term in terms)
        match = self._index.c.readmodel_words.op("MATCH")(" AND ".join(phrases))
        return texts.c.number.in_(select(self._index.c.rowid).where(match))


class TsVector:
    """PostgreSQL's index: each text's different words, without their places.

    Places are left out because a tsvector keeps none beyond 16,383 and at
    most 256 of a word; phrases are looked for in the words themselves.
    """

    _index = table("readmodel_lexemes", column("number"), column("lexemes"))

    def create(self, connection: Connection) -> None:
        """Makes the table of lexemes and its index."""
        connection.execute(
            text(
                "CREATE TABLE IF NOT EXISTS readmodel_lexemes (number bigint PRIMARY KEY "
                "REFERENCES readmodel_texts ON DELETE CASCADE, lexemes tsvector NOT NULL)"
            )
        )
        connection.execute(
            text(
                "CREATE INDEX IF NOT EXISTS readmodel_lexemes_gin "
                # A list of what is still to be sorted in would be read by every search.
                "ON readmodel_lexemes USING gin (lexemes) WITH (fastupdate = off)"
            )
        )

    def drop(self, connection: Connection) -> None:
        """Removes the table."""
        connection.execute(text("DROP TABLE IF EXISTS readmodel_lexemes"))

    def add(self, connection: Connection, number: int, words: str) -> None:
        """Adds the row's different words."""
        connection.execute(
            text(
                "INSERT INTO readmodel_lexemes(number, lexemes) "
                "VALUES (:number, array_to_tsvector(CAST(:lexemes AS text[])))"
            ),
            {"number": number, "lexemes": _lexemes(words)},
        )

    def remove(self, connection: Connection, number: int) -> None:
        """Nothing to do: the row goes with its text's."""

    def purge(self, connection: Connection) -> bool:
        """Nothing to do: autovacuum takes out what was removed."""
        return False

    def found(self, connection: Connection, terms: Sequence[Term]) -> ColumnElement[bool]:
        """All lexemes, and for each phrase that its words stand together.

        There are two ways to the newest jobs with some words: along all jobs from the
        newest, which ends soon with frequent words, and from the index, which gives all
        jobs with rare ones. PostgreSQL takes every word that it has no figures of for
        one of every 200th job and then walks through all jobs in vain, so that the way
        is chosen here.
        """
        lexemes = (_lexeme(term, place) for term in terms for place in range(len(term.words)))
        query = cast(literal(" & ".join(lexemes)), TSQUERY)
        match = select(self._index.c.number).where(self._index.c.lexemes.op("@@")(query))
        condition: ColumnElement[bool]
        if _expected_rows(connection, match) < FREQUENT_ROWS:
            # What is materialised is found before, and whatever, the rest of the query asks for.
            at_once = match.cte("matched").prefix_with("MATERIALIZED", dialect="postgresql")
            condition = texts.c.number.in_(select(at_once.c.number))
        else:
            condition = texts.c.number.in_(match)
        for term in terms:
            if len(term.words) > 1:
                condition &= texts.c.words.contains(term.needle)
        return condition


def _expected_rows(connection: Connection, query: Select[Any]) -> int:
    """How many rows PostgreSQL expects of a query, by what it knows of the table."""
    compiled = query.compile(dialect=connection.dialect)
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params)
    return int(plan.scalar_one()[0]["Plan"]["Plan Rows"])


def _lexeme(term: Term, place: int) -> str:
    last = place == len(term.words) - 1
    return f"'{term.words[place]}'" + (":*" if term.prefix and last else "")


def _lexemes(words: str) -> list[str]:
    """The different words as far as they fit."""
    kept: list[str] = []
    size = 0
    for word in dict.fromkeys(words.split()):
        size += len(word.encode()) + LEXEME_OVERHEAD_BYTES
        if size > MAX_LEXEME_BYTES:
            break
        if word != TEXT_END:
            kept.append(word)
    return kept


FULL_TEXT: dict[str, type[FullText]] = {"sqlite": Fts5, "postgresql": TsVector}
