"""The registry of reasons: what the code raises and what the contract names is in it."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, cast

import pytest

from maie_client import ClientReason
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason, WarningReason
from maie_core.result_warnings import COUNTED_REASONS

pytestmark = pytest.mark.unit

NodeT = TypeVar("NodeT", bound=ast.AST)
ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "libs/core/maie_core/reasons.py"
CLIENT_REGISTRY = ROOT / "libs/client/maie_client/reasons.py"
SOURCES = [
    path
    for folder in ("gateway", "libs", "services")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path not in (REGISTRY, CLIENT_REGISTRY) and "_pb2" not in path.name
]
REASONS = {*Reason, *WarningReason}
# Calls that make an error whose code is always the same.
ALWAYS = {"invalid": "INVALID_ARGUMENT", "RefusedError": "INVALID_ARGUMENT"}
# Exhausted whenever one asks again.
NEVER_BETTER = {"OUT_OF_MEMORY", "UPLOAD_TOO_LARGE"}
# What the comments of the contract write in capitals and is no reason.
NO_REASON = {
    "CHANNEL_MODE_AUTO",
    "CHANNEL_MODE_MIX",
    "CHANNEL_MODE_SPLIT",
    "EAGER_END",
    "FEATURE_CLEAN_TRANSCRIPT",
    "FEATURE_SPEAKERS",
    "MAIE_SESSIONS",
    "UPPER_SNAKE_CASE",
    "MAIE_DEAD_LETTERS",
    "MAIE_FINALS",
    "MAIE_NAMES",
    "MAIE_WEBHOOKS",
}


@functools.cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [
        (path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES
    ]


def nodes(*kinds: type[NodeT]) -> Iterator[tuple[str, NodeT]]:
    """All nodes of some kinds in the sources, each with its place."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield f"{path}:{getattr(node, 'lineno', 0)}", node


def member(node: ast.AST, *enums: str) -> str:
    """The member's name where a node is one of an enum, such as Reason.BUSY."""
    if not isinstance(node, ast.Attribute):
        return ""
    is_member = ast.unparse(node.value) in enums and not node.attr.startswith("__")
    return node.attr if is_member else ""


def test_each_reason_is_its_name_and_stands_in_order() -> None:
    for kind in (Reason, WarningReason, ClientReason):
        names = list(kind.__members__)
        assert [*map(str, kind)] == names == sorted(names)
    assert not {*Reason} & {*WarningReason}


def test_an_error_with_a_reason_that_is_not_in_the_registry_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        StageError(Code.INTERNAL, cast(Reason, "MADE_UP"), "It is not there.")


def test_the_reasons_of_the_client_are_in_the_registry() -> None:
    assert {*ClientReason} <= {*Reason}


def test_no_reason_is_written_as_text() -> None:
    """As text, it would be checked by nothing."""
    found = [place for place, node in nodes(ast.Constant) if node.value in REASONS]
    assert not found


def test_no_failure_and_no_warning_is_made_of_another_reason() -> None:
    """The messages of the contract take any text, so that no type holds their reasons."""
    found = [
        place
        for place, node in nodes(ast.keyword)
        if node.arg == "reason" and isinstance(node.value, ast.Constant | ast.JoinedStr)
    ]
    assert not found


def test_every_error_has_the_code_of_its_reason() -> None:
    checked, wrong = 0, []
    for place, node in nodes(ast.Call):
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        reasons = [name for each in values if (name := member(each, "Reason", "ClientReason"))]
        codes = [name for each in values if (name := member(each, "Code", "grpc.StatusCode"))]
        codes += [ALWAYS[name] for name in [ast.unparse(node.func)] if name in ALWAYS]
        for reason, code in zip(reasons, codes, strict=False):
            checked += 1
            if Reason[reason].code.name != code:
                wrong.append(f"{place}: {reason} with {code}")
    assert not wrong
    assert checked > len(Reason)


def test_what_is_exhausted_says_when_to_try_again_where_waiting_helps() -> None:
    exhausted = [
        (member(node.args[1], "Reason"), {each.arg for each in node.keywords})
        for _, node in nodes(ast.Call)
        if [member(each, "Code") for each in node.args[:1]] == ["RESOURCE_EXHAUSTED"]
    ]
    assert len(exhausted) >= 10
    assert {reason for reason, given in exhausted if "retry_after" not in given} == NEVER_BETTER


def test_every_reason_has_its_use() -> None:
    kinds = ("Reason", "WarningReason", "ClientReason")
    assert {name for _, node in nodes(ast.Attribute) if (name := member(node, *kinds))} == REASONS


def test_the_contract_names_no_other_reason() -> None:
    for path in (ROOT / "protos").rglob("*.proto"):
        text = path.read_text(encoding="utf-8")
        code = "\n".join(line.partition("//")[0] for line in text.splitlines())
        comments = "\n".join(line.partition("//")[2] for line in text.splitlines())
        named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", comments))
        named -= {*Code.__members__} | NO_REASON
        assert {name for name in named if name not in code} <= REASONS | COUNTED_REASONS, path


def test_the_contract_names_each_reason_with_its_status() -> None:
    checked = 0
    for path in (ROOT / "protos").rglob("*.proto"):
        for failures in re.findall(
            r"// Fails with(.+?)\n(?!\s*// \S)", path.read_text(), re.DOTALL
        ):
            code = ""
            for word in re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", failures):
                if word in Code.__members__:
                    code = word
                elif word in Reason.__members__:
                    checked += 1
                    assert Reason[word].code.name == code, f"{path}: {word} with {code}"
    assert checked > 50


def test_the_contract_explains_every_warning() -> None:
    types = (ROOT / "protos/maie/common/v1/types.proto").read_text(encoding="utf-8")
    message = types.partition("message Warning {")[2].partition("string reason")[0]
    assert sorted(re.findall(r"// ([A-Z_]+):", message)) == [*WarningReason]
