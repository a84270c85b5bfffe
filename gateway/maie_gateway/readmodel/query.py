"""What a client looks for: words, "phrases" and at last perhaps a beginning*."""

from __future__ import annotations

from dataclasses import dataclass

from maie_core.errors import invalid
from maie_core.limits import MAX_QUERY_CHARACTERS
from maie_core.reasons import Reason
from maie_gateway.readmodel.words import words


@dataclass(kw_only=True, frozen=True, slots=True)
class Term:
    """Words that stand next to each other; most terms are one word.

    Attributes:
        words: The words in order, at least one.
        prefix: Whether the last word may go on.
    """

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def needle(self) -> str:
        """What a text in stored form holds where the term is in it."""
        return f" {' '.join(self.words)}" + ("" if self.prefix else " ")


def parse_query(query: str) -> tuple[Term, ...]:
    """Reads a query. All terms must be found.

    A quote that is not closed reaches to the end. A word that is cut into
    several, such as "co-op", counts as a phrase. A star means something only
    at the very end of the last word.

    Raises:
        StageError: INVALID_ARGUMENT with QUERY_INVALID for a query without
            words or with more than `MAX_QUERY_CHARACTERS` characters.
    """
    if len(query) > MAX_QUERY_CHARACTERS:
        raise _refused(f"A query has at most {MAX_QUERY_CHARACTERS} characters.")
    terms: dict[Term, None] = {}
    parts = query.rstrip().split('"')
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        quoted = place % 2 == 1
        for piece in [part] if quoted else part.split():
            if found := tuple(words(piece)):
                # Only what ends the query ends in the query's last character.
                prefix = last and not quoted and piece.endswith("*") and part.endswith(piece)
                terms[Term(words=found, prefix=prefix)] = None
    if not terms:
        raise _refused("A query needs at least one word.")
    return tuple(terms)


def _refused(message: str) -> Exception:
    return invalid(Reason.QUERY_INVALID, message, field="query")
