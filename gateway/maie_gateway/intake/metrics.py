"""What a gateway measures of uploads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry.metrics import Meter

from maie_core.errors import StageError
from maie_core.metrics import NO_METER
from maie_core.reasons import Reason

# What ends an upload whose client is gone or too slow, or whose broker or store does not answer.
_BROKEN = frozenset(
    {
        Reason.UPLOAD_INCOMPLETE,
        Reason.UPLOAD_IDLE,
        Reason.UPLOAD_TOO_SLOW,
        Reason.UPLOAD_TOO_LONG,
        Reason.FETCH_UNAVAILABLE,
        Reason.FETCH_INCOMPLETE,
        Reason.BROKER_UNAVAILABLE,
        Reason.BLOB_STORE_UNAVAILABLE,
        Reason.BLOB_STORE_FULL,
    }
)


class UploadMetrics:
    """The instruments of a gateway's uploads.

    Args:
        meter: Makes them.
    """

    def __init__(self, meter: Meter = NO_METER) -> None:
        self._uploads = meter.create_counter(
            "maie.uploads",
            unit="{upload}",
            description="Uploads of recordings that ended, by outcome: `complete`, `refused` for "
            "what the client sent or a limit, or `broken`.",
        )
        self._bytes = meter.create_counter(
            "maie.upload.size", unit="By", description="Bytes of recordings that arrived."
        )

        for outcome in ("complete", "refused", "broken"):
            # A counter that is absent until its first event has no rate for it.
            self._uploads.add(0, {"outcome": outcome})

    @contextmanager
    def upload(self) -> Iterator[Callable[[int], None]]:
        """Counts an upload by how the context ends; gives what counts its bytes."""
        error: BaseException | None = None
        try:
            yield self._bytes.add
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._uploads.add(1, {"outcome": _outcome(error)})


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "complete"
    is_refusal = isinstance(error, StageError) and error.reason not in _BROKEN
    return "refused" if is_refusal else "broken"
