"""The queries of rules and dashboards, and what they name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promql_parser
import yaml

FOLDER = Path(__file__).parents[2] / "deploy/observability"
RULES = ("recording", "alerts")
# What Grafana fills in.
VARIABLES = {"$__rate_interval": "5m"}


@dataclass(kw_only=True)
class Named:
    """What a query names.

    Attributes:
        metrics: The names of its metrics, with the labels that it matches of each.
        grouped: The labels that it groups by.
    """

    metrics: list[tuple[str, set[str]]] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)


def rules(name: str) -> list[dict[str, Any]]:
    """The rules of a file."""
    document = yaml.safe_load((FOLDER / f"rules/{name}.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """All queries, and where they are."""
    for file in RULES:
        for rule in rules(file):
            yield f"{file}: {rule.get('record') or rule['alert']}", rule["expr"]
    for path in sorted((FOLDER / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                query = target["expr"]
                for variable, value in VARIABLES.items():
                    query = query.replace(variable, value)
                yield f"{path.stem}: {panel['title']}", query


def named(query: str) -> Named:
    """What a query names.

    Raises:
        ValueError: It does not parse.
    """
    found = Named()
    _walk(promql_parser.parse(query), found)
    return found


def _walk(node: Any, found: Named) -> None:
    match node:
        case promql_parser.VectorSelector():
            labels = {matcher.name for matcher in node.matchers.matchers}
            found.metrics.append((node.name or "", labels))
        case promql_parser.MatrixSelector():
            _walk(node.vector_selector, found)
        case promql_parser.AggregateExpr():
            if node.modifier is not None:
                found.grouped |= set(node.modifier.labels)
            _walk(node.expr, found)
        case promql_parser.BinaryExpr():
            _walk(node.lhs, found)
            _walk(node.rhs, found)
        case promql_parser.Call():
            for argument in node.args:
                _walk(argument, found)
        case promql_parser.ParenExpr() | promql_parser.SubqueryExpr() | promql_parser.UnaryExpr():
            _walk(node.expr, found)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            pass
        case _:
            raise ValueError(f"{type(node)} is not known here")
