"""The limits that recordings of a data set must keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maie_formats.quality.rows import Row


@dataclass(kw_only=True, frozen=True, slots=True)
class Limits:
    """The limits; None for none.

    Attributes:
        min_overall: The least mean opinion score of the whole sound, 1 to 5.
        min_snr: The least speech over noise, in dB. It is kept where no noise could be measured.
        max_clipping: The most clipped samples over all, 0 to 1.
        max_silence: The most of a recording in which nobody speaks, 0 to 1.
    """

    min_overall: float | None = None
    min_snr: float | None = None
    max_clipping: float | None = None
    max_silence: float | None = None

    def broken(self, row: Row) -> Iterator[str]:
        """What a recording does not keep, in words. One without figures keeps nothing."""
        if row.error:
            yield row.error
            return
        if self.min_overall is not None:
            if row.overall is None:
                yield "overall: nobody speaks"
            elif row.overall < self.min_overall:
                yield f"overall {row.overall:.2f} is below {self.min_overall:g}"
        if self.min_snr is not None and row.snr_db is not None and row.snr_db < self.min_snr:
            yield f"speech over noise of {row.snr_db:.1f} dB is below {self.min_snr:g} dB"
        if self.max_clipping is not None and (row.clipping_ratio or 0) > self.max_clipping:
            yield f"clipping of {row.clipping_ratio:.4f} is above {self.max_clipping:g}"
        if self.max_silence is not None and (row.silence_share or 0) > self.max_silence:
            yield f"silence of {row.silence_share:.2f} is above {self.max_silence:g}"
