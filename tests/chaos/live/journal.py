"""What a client has seen of its session, in a file that outlives its process."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from google.protobuf import json_format

from maie.live.v1 import live_pb2 as live
from maie_client.live.resume import ResumePoint


@dataclass(kw_only=True, frozen=True, slots=True)
class Heard:
    """A final as somebody has it: the client, the log, or the ended job.

    Attributes:
        utterance: Its id.
        text: Its text.
        track: Its track, by name; empty where the source has no names.
        channel: Its channel; 0 where the track has but one, and where the source has none.
        sequence: The durable event's sequence; 0 where the source has none.
        clean: The clean text that the ended job has of it.
        at: When the client read it, by the monotonic clock; 0 where the source is not a client.
    """

    utterance: str
    text: str
    track: str = ""
    channel: int = 0
    sequence: int = 0
    clean: str = ""
    at: float = 0.0


class Journal:
    """The durable events of a session, as its client read them, one line each.

    Args:
        path: The file; one that is there is continued.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, session_id: str, token: str) -> None:
        """Notes what a later process needs to resume the session."""
        if self.session_id != session_id:
            self._write({"session_id": session_id, "token": token})

    def add(self, event: live.TranscribeResponse) -> None:
        """Notes a durable event."""
        if event.HasField("final"):
            segment = event.final.segment
            heard = Heard(
                utterance=segment.segment_id,
                text=segment.text,
                track=event.final.track,
                channel=segment.channel,
                sequence=event.sequence,
                at=time.monotonic(),
            )
            self._write(asdict(heard))
        elif event.HasField("refinement"):
            refined = event.refinement
            line = {"refined": refined.utterance_id, "text": refined.clean_text}
            self._write({**line, "track": refined.track, "sequence": event.sequence})
        elif event.HasField("summary"):
            self._write({"summary": json_format.MessageToDict(event.summary)})
        elif event.HasField("started") or event.HasField("go_away"):
            self._write({"call": event.WhichOneof("event")})
        elif event.HasField("ended"):
            self._write({"ended": event.ended.final_count, "sequence": event.sequence})

    def _write(self, line: dict[str, object]) -> None:
        # In one write, so that a killed process leaves whole lines.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)

    def _lines(self) -> list[dict[str, object]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    @property
    def session_id(self) -> str:
        """The session's id; empty before it began."""
        return self._first("session_id")

    @property
    def resume_point(self) -> ResumePoint | None:
        """Where another process goes on; None before the session began."""
        if not self.session_id:
            return None
        return ResumePoint(
            session_id=self.session_id,
            resume_token=self._first("token"),
            after_sequence=max(self.sequences, default=0),
        )

    @property
    def sequences(self) -> list[int]:
        """The sequences of the durable events, in the order in which they were read."""
        return [int(str(line["sequence"])) for line in self._lines() if "sequence" in line]

    @property
    def finals(self) -> list[Heard]:
        """The finals, in the order in which they were read."""
        return [Heard(**line) for line in self._lines() if "utterance" in line]  # type: ignore[arg-type]

    @property
    def refinements(self) -> list[Heard]:
        """The refinements, in the order in which they were read."""
        return [
            Heard(
                utterance=str(line["refined"]),
                text=str(line["text"]),
                track=str(line["track"]),
                sequence=int(str(line["sequence"])),
            )
            for line in self._lines()
            if "refined" in line
        ]

    @property
    def summaries(self) -> list[dict[str, object]]:
        """The summaries, each time that one was read."""
        return [line["summary"] for line in self._lines() if "summary" in line]  # type: ignore[misc]

    @property
    def resumes(self) -> int:
        """How often the session went on in another call."""
        return max(0, self._calls("started") - 1)

    @property
    def go_aways(self) -> int:
        """How often a gateway asked the client to go on at another."""
        return self._calls("go_away")

    def _calls(self, kind: str) -> int:
        return sum(line.get("call") == kind for line in self._lines())

    @property
    def ended(self) -> int | None:
        """How many finals the session had, as its end says; None before that."""
        counts = [int(str(line["ended"])) for line in self._lines() if "ended" in line]
        return counts[-1] if counts else None

    def _first(self, key: str) -> str:
        return next((str(line[key]) for line in self._lines() if key in line), "")
