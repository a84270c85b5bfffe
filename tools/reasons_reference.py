"""docs/reasons.md from the registry of reasons, maie_core/reasons.py."""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Iterator
from itertools import pairwise

from maie_core.errors import OUTCOMES, Settle
from maie_core.reasons import Reason, WarningReason

TARGET = "docs/reasons.md"
INTRODUCTION = """\
# Reasons

Each error of a call carries a `google.rpc.ErrorInfo` with one of the reasons below and the domain
`maie`; each failure of a job, a unit or a webhook's delivery carries one in `Failure.reason`.
Programs decide by the reason; the message is for people and names the particulars. An
error about a field also carries a `BadRequest`, and one that asks to wait a `RetryInfo`. This page
is written by `make generate` from `libs/core/maie_core/reasons.py`.

The column "retried" says whether a unit of a job that fails so is attempted again by itself. Where
a worker cannot load its model into a shared GPU, the reason comes with UNAVAILABLE whatever the
table says, since the next attempt may find room.
"""
ERRORS = """
## Errors

| reason | gRPC status | retried | meaning | what to do |
| --- | --- | --- | --- | --- |
"""
WARNINGS = """
## Warnings of results

A job with a warning is COMPLETE; `Warning.reason` says what its results lack.

| reason | meaning | what to do |
| --- | --- | --- |
"""


def reference() -> str:
    """The whole page."""
    errors = "".join(_error_rows())
    warnings = "".join(
        f"| `{reason}` | {meaning} | {remedy} |\n"
        for reason, (meaning, remedy) in documentation(WarningReason).items()
    )
    return INTRODUCTION + ERRORS + errors + WARNINGS + warnings


def _error_rows() -> Iterator[str]:
    for name, (meaning, remedy) in documentation(Reason).items():
        code = Reason[name].code
        retried = "no" if OUTCOMES[code].settle is Settle.GIVE_UP else "yes"
        yield f"| `{name}` | {code.name} | {retried} | {meaning} | {remedy} |\n"


def documentation(kind: type[enum.Enum]) -> dict[str, tuple[str, str]]:
    """What the docstring beneath each member says: what happened, and what to do.

    Raises:
        ValueError: A member without a docstring, or with one sentence only.
    """
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    texts = {
        target.id: " ".join(str(beneath.value.value).split())
        for member, beneath in pairwise(definition.body)
        if isinstance(member, ast.Assign)
        and isinstance(beneath, ast.Expr)
        and isinstance(beneath.value, ast.Constant)
        for target in member.targets
        if isinstance(target, ast.Name)
    }
    parted = {name: texts.get(name, "").partition(". ") for name in kind.__members__}
    for name, (meaning, _, remedy) in parted.items():
        if not meaning or not remedy:
            raise ValueError(f"{name} needs a docstring: what happened, and what to do")
    return {name: (f"{meaning}.", remedy) for name, (meaning, _, remedy) in parted.items()}
