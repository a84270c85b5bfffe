"""The models that workers hold, for `maie models`."""

from __future__ import annotations

from collections.abc import Sequence

from maie.catalog.v1 import catalog_pb2 as catalog
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.exits import run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_cli.names import stage_name
from maie_client import Client
from maie_formats.clean import plain


def models(
    as_json: JsonOption = False, gateway: GatewayOption = DEFAULT_GATEWAY, tenant: TenantOption = ""
) -> None:
    """List the models that workers hold right now; with --json, one on each line."""
    found = run(_models(gateway_client(gateway, tenant)))
    print_found(found, _model_listing, as_json=as_json)


async def _models(client: Client) -> list[catalog.Model]:
    async with client:
        return await client.list_models()


def _model_listing(found: Sequence[catalog.Model]) -> Listing:
    fields = (
        Field(header="stage"),
        Field(header="engine", least=10),
        Field(header="model", least=12),
        Field(header="library", least=12),
        Field(header="runs on", least=8),
        Field(header="workers"),
        Field(header="checkpoint"),
    )
    return Listing(fields, [_model(each) for each in found])


def _model(model: catalog.Model) -> tuple[str, ...]:
    engine = model.info.engine
    return (
        stage_name(model.stage),
        plain(engine.engine),
        plain(f"{engine.model_name} {engine.model_variant}"),
        plain(engine.library),
        plain(f"{engine.device} {engine.compute_type}"),
        str(model.worker_count),
        engine.checkpoint_sha256[:12],
    )
