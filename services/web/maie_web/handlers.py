"""Litestar's decorators for handlers, which also document the errors of every route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import litestar
from litestar.openapi import ResponseSpec

from maie_web.problems import RESPONSES

Decorator = TypeVar("Decorator", bound=Callable[..., Any])


def _documented(decorator: Decorator) -> Decorator:
    def made(
        path: Any, *, responses: Mapping[int, ResponseSpec] | None = None, **options: Any
    ) -> Any:
        return decorator(path, responses={**RESPONSES, **(responses or {})}, **options)

    return cast(Decorator, made)


get = _documented(litestar.get)
post = _documented(litestar.post)
put = _documented(litestar.put)
patch = _documented(litestar.patch)
delete = _documented(litestar.delete)
route = _documented(litestar.route)
