"""The decoder by itself, in this process, for what its messages say."""

from __future__ import annotations

import io
import json
import tempfile

from maie_preprocess import wire
from maie_preprocess.decoder import decode
from maie_preprocess.decoding import limits_of
from maie_preprocess.settings import PreprocessSettings


def decoded(content: bytes) -> wire.Done:
    """Decodes a recording within the limits of the default settings.

    Raises:
        RefusedError: The recording cannot be used.
    """
    target = io.BytesIO()
    with tempfile.TemporaryFile(buffering=0) as source:
        source.write(content)
        source.seek(0)
        decode(
            source,
            target,
            limits_of(PreprocessSettings()),
            wire.Choice(channels="mix", track=0, all_tracks=False),
        )
    messages = target.getvalue()
    fields = json.loads(messages[messages.rindex(b'{"normalized"') :])
    warnings = [wire.RecordingWarning(**warning) for warning in fields.pop("warnings")]
    return wire.Done(**fields, warnings=warnings)
