"""What tests put into templates."""

from __future__ import annotations

import json

PROMPT = "Summarise: {{ transcript }}"


def schema(title: str = "Standup", **more: object) -> str:
    """A schema with one list of short texts."""
    blockers = {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 10}
    return json.dumps(
        {
            "title": title,
            "description": "What holds us up.",
            "type": "object",
            "properties": {
                "blockers": {"description": "What blocks somebody.", **blockers},
                **more,
            },
            "additionalProperties": False,
        }
    )


SCHEMA = schema()
