"""All checks of what the chart renders to. A check takes objects and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.helm import agreement, parts, paths, scaling, security
from tests.helm.rendering import Object
from tests.helm.schemas import problems_of_schema

Check = Callable[[list[Object]], Iterable[str]]
CHECKS: dict[str, Check] = {
    "schema": problems_of_schema,
    "names": agreement.problems_of_names,
    "selectors": agreement.problems_of_selectors,
    "ports": agreement.problems_of_ports,
    "volumes": agreement.problems_of_volumes,
    "images": agreement.problems_of_images,
    "routes": agreement.problems_of_routes,
    "settings": parts.problems_of_settings,
    "credentials": parts.problems_of_credentials,
    "ends": parts.problems_of_ends,
    "commands": parts.problems_of_commands,
    "security": security.problems_of_security,
    "scalers": scaling.problems_of_scalers,
    "queries": scaling.problems_of_queries,
    "paths": paths.problems_of_paths,
    "certificates": paths.problems_of_certificates,
}
