"""Values that fit a schema, drawn as a language model under guidance writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

ALPHABET = 'abc é"\\\n漢'


class Impossible(Exception):
    """Nothing fits, or nothing was found that does."""


class Filler:
    """Draws values.

    Args:
        root: The whole schema; `$ref` is looked up in it.
        random: Where chance comes from.
    """

    def __init__(self, root: Mapping[str, Any], random: Random) -> None:
        self._root = root
        self._random = random

    def fill(self) -> Any:
        """A value for the whole schema."""
        return self._any(self._root)

    def _any(self, node: Mapping[str, Any]) -> Any:
        if "$ref" in node:
            return self._any(self._root["$defs"][node["$ref"].removeprefix("#/$defs/")])
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in node:
                return self._any(self._random.choice(node[keyword]))
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self._random.choice(node["enum"])
        kinds = node["type"]
        kind = kinds if isinstance(kinds, str) else self._random.choice(kinds)
        return getattr(self, f"_{kind}")(node)

    def _null(self, node: Mapping[str, Any]) -> None:
        return None

    def _boolean(self, node: Mapping[str, Any]) -> bool:
        return self._random.random() < 0.5

    def _integer(self, node: Mapping[str, Any]) -> int:
        step = node.get("multipleOf", 1)
        step = int(step) if step == int(step) else int(step * 10)
        low, high = self._range(node)
        return step * self._random.randint(math.ceil(low / step), math.floor(high / step))

    def _number(self, node: Mapping[str, Any]) -> float:
        return self._integer(node)

    def _range(self, node: Mapping[str, Any]) -> tuple[float, float]:
        low, high = node.get("minimum", -99), node.get("maximum", 99)
        low = max(low, node.get("exclusiveMinimum", low - 1) + 1)
        high = min(high, node.get("exclusiveMaximum", high + 1) - 1)
        if math.ceil(low) > math.floor(high):
            raise Impossible
        return low, high

    def _string(self, node: Mapping[str, Any]) -> str:
        if node.get("format") == "date":
            return "2026-11-21"
        least, most = node.get("minLength", 0), node.get("maxLength", 20)
        length = self._random.randint(least, max(least, min(most, least + 12)))
        return "".join(self._random.choices(ALPHABET, k=length))

    def _array(self, node: Mapping[str, Any]) -> list[Any]:
        least, most = node.get("minItems", 0), node["maxItems"]
        length = self._random.randint(least, max(least, min(most, least + 3)))
        return [self._any(node["items"]) for _ in range(length)]

    def _object(self, node: Mapping[str, Any]) -> dict[str, Any]:
        names = dict(node.get("properties", {}))
        required = set(node.get("required", ()))
        rest = node.get("additionalProperties")
        if isinstance(rest, dict):
            names |= dict.fromkeys(("more", "a/b~c"), rest)
        chosen = [name for name in names if name in required or self._random.random() < 0.7]
        missing = [name for name in names if name not in chosen]
        while missing and len(chosen) < node.get("minProperties", 0):
            chosen.append(missing.pop())
        optional = [name for name in chosen if name not in required]
        while optional and len(chosen) > node.get("maxProperties", len(chosen)):
            chosen.remove(optional.pop())
        return {name: self._any(names[name]) for name in chosen}
