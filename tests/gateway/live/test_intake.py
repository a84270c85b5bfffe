"""What becomes durable with the end of a track."""

from __future__ import annotations

import pytest

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.live.marks import Mark
from maie_gateway.live.recognition.backlog import Backlog
from maie_gateway.live.tracks.intake import TrackIntake
from maie_gateway.live.tracks.track_reader import Read
from tests.gateway.live.speech import word

pytestmark = pytest.mark.unit

SOUND = word(1, 0.1)
BROKEN = b"broken"


class Reader:
    """Reads all but BROKEN as samples; holds a sample back."""

    state = b"state"

    async def read(self, content: bytes) -> Read:
        if content == BROKEN:
            raise StageError(Code.INTERNAL, Reason.DECODER_FAILED, "The decoder died.")
        return Read(parts=[content[:-2]], length=len(content) // 2)

    async def silence(self) -> Read:
        return self.rest()

    def rest(self) -> Read:
        return Read(parts=[b"\0\0"])

    def close(self) -> None:
        pass


def durable(backlog: Backlog) -> int:
    """The last message that is durable once everything is recognised."""
    return backlog.next_mark(backlog.position, 0).sequence


async def test_the_message_that_ends_a_track_is_durable_only_with_its_end() -> None:
    backlog = Backlog(Mark())
    intake = TrackIntake(Reader(), [[backlog]], Mark(), lambda: None, lambda _, __: None)
    intake.put(1, content=SOUND)
    intake.received = 2  # the track's end
    intake.close()
    await intake.run()
    assert (durable(backlog), backlog.received) == (1, 2)
    assert backlog.held == len(SOUND) // 2


async def test_messages_that_could_not_be_read_are_not_durable() -> None:
    backlog = Backlog(Mark())
    intake = TrackIntake(Reader(), [[backlog]], Mark(), lambda: None, lambda _, __: None)
    for sequence, content in enumerate((SOUND, BROKEN, SOUND), start=1):
        intake.put(sequence, content=content)
    with pytest.raises(StageError):
        await intake.run()
    assert durable(backlog) == 1
