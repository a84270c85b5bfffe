"""Limits of tenants as the contract has them, and as gateways do."""

from __future__ import annotations

from pydantic import ValidationError

from maie.tenant.v1 import tenant_pb2 as tenants
from maie_core.errors import invalid
from maie_core.limits import MAX_VOICES
from maie_core.reasons import Reason
from maie_gateway.limits.settings import TenantLimits


def from_message(message: tenants.TenantLimits) -> TenantLimits:
    """The limits of a message.

    Raises:
        pydantic.ValidationError: One is out of its range.
    """
    return TenantLimits(**{field.name: value for field, value in message.ListFields()})


def to_message(limits: TenantLimits) -> tenants.TenantLimits:
    """The message of limits."""
    return tenants.TenantLimits(**limits.model_dump(exclude_none=True))


def check(message: tenants.TenantLimits) -> None:
    """Refuses limits that are out of their range.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    try:
        from_message(message)
    except ValidationError as error:
        name = error.errors()[0]["loc"][0]
        raise invalid(
            Reason.FIELD_INVALID,
            f"{name} cannot be this number: it is above 0 and at most 1000000; only "
            f"audio_hours_per_day and voices may be 0, and there are at most {MAX_VOICES} voices. "
            "Correct it, or leave it unset.",
            field=f"limits.{name}",
        ) from error
