"""Holds a session to its promises: what its client, its log and its job say must agree."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

import jiwer

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_runtime.bus.session_log import SessionLog
from tests.chaos.live.audio import check_audio
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.journal import Heard
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.refinements import check_clean_text, check_refinements, refinements_of
from tests.chaos.live.speech import texts_of
from tests.chaos.live.summaries import check_summary
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import RESUME_SECONDS, LiveWorld, of_log
from tests.chaos.world import now

# A cut in the midst of an utterance leaves two parts that are read by themselves: the words at the
# cut and those that depend on what was cut away. Measured: see docs/reliability.md.
SEAM_WORDS = 10
# A replica that takes a track from another finds speech anew, which moves an utterance's ends.
REPLAY_WORDS = 4
# Of a gateway that dies, another one takes its work over after a while.
JOB_SECONDS = 90.0 + RESUME_SECONDS


async def check(world: LiveWorld, talk: Talk, fault: LiveFault, outcome: LiveOutcome) -> None:
    """Compares all views of a session, and adds what came of it.

    Args:
        world: The mesh.
        talk: The session.
        fault: What was broken.
        outcome: What is added to.
    """
    session_id = talk.journal.session_id
    if not session_id:
        if talk.failure is not None:
            outcome.blame("broken", "-", f"it never began: {talk.failure}")
        return
    outcome.sessions += 1
    if talk.journal.ended is None:
        outcome.blame("stuck", session_id, talk.failure or "its client saw no end")
    entries = await world.of_broker(lambda: SessionLog(world.broker).read(session_id))
    logged = of_log(entries)
    outcome.finals += len(logged)
    if len({each.utterance for each in logged}) < len(logged):
        outcome.blame("doubled", session_id, "its log has a final twice")
    if talk.journal.ended is not None and talk.journal.ended != len(logged):
        outcome.blame("lost", session_id, f"its end counts {talk.journal.ended} finals")
    _check_sequences(talk, session_id, outcome)
    outcome.go_aways += talk.journal.go_aways
    if fault.in_order and talk.journal.resumes and not talk.journal.go_aways:
        outcome.blame("broken", session_id, "its client resumed it without go_away")
    _agree(session_id, "its client", talk.journal.finals, logged, outcome)
    refined = refinements_of(entries)
    outcome.refinements += len(refined)
    check_refinements(session_id, entries, talk.journal.refinements, outcome)
    for view in talk.views:
        seen = logged[: len(view.finals)]
        _agree(session_id, "who took it over", view.finals, seen, outcome)
    if talk.journal.ended is not None:
        written = await _of_job(world, session_id, outcome)
        if written is not None:
            check_clean_text(session_id, written, refined, outcome)
            # What a break cuts off may have no word, and a job has none of it.
            spoken = [each for each in logged if each.text]
            _agree(session_id, "its job", written, spoken, outcome)
            await check_summary(world, talk, outcome)
            await check_audio(world, talk, [each.entry for each in entries], outcome)
        takeovers = sum(each.entry.HasField("taken") for each in entries) - 1
        outcome.takeovers += takeovers
        _check_words(world, talk, logged, takeovers + fault.cuts, outcome)


def _check_sequences(talk: Talk, session_id: str, outcome: LiveOutcome) -> None:
    sequences = talk.journal.sequences
    if sequences != list(range(1, len(sequences) + 1)):
        outcome.blame("gaps", session_id, f"its client read the events {sequences}")


def _agree(
    session_id: str,
    who: str,
    theirs: Sequence[Heard],
    logged: Sequence[Heard],
    outcome: LiveOutcome,
) -> None:
    """Compares the finals of a client or a job with those of the log."""
    counts = Counter(each.utterance for each in theirs)
    texts = {each.utterance: each.text for each in theirs}
    for utterance, count in counts.items():
        if count > 1:
            outcome.blame("doubled", session_id, f"{who} has {utterance} {count} times")
    for each in logged:
        if each.utterance not in texts:
            outcome.blame("lost", session_id, f"{who} lacks {each.utterance}, {each.text!r}")
        elif texts[each.utterance] != each.text:
            outcome.blame("changed", session_id, f"{who} has another text of {each.utterance}")
    for utterance in counts.keys() - {each.utterance for each in logged}:
        outcome.blame("changed", session_id, f"the log has no {utterance}, and {who} has")


async def _of_job(world: LiveWorld, session_id: str, outcome: LiveOutcome) -> list[Heard] | None:
    """The segments of the ended job; None where it did not complete."""

    async def get(client: Client) -> job.Job:
        return await client.get_job(session_id)

    deadline = now() + JOB_SECONDS
    while True:
        try:
            found = await world.ask(get)
        except ClientError as error:
            outcome.blame("lost", session_id, f"its job: {error.reason}: {error.message}")
            return None
        if found.state == job.JOB_STATE_COMPLETE:
            return [
                Heard(utterance=each.segment_id, text=each.text, clean=each.clean_text)
                for each in found.results.segments
            ]
        if now() > deadline:
            outcome.blame("stuck", session_id, f"its job is {job.JobState.Name(found.state)}")
            return None
        await asyncio.sleep(0.2)


def _check_words(
    world: LiveWorld,
    talk: Talk,
    logged: Sequence[Heard],
    cuts: int,
    outcome: LiveOutcome,
) -> None:
    """Compares the text of each track and channel with how it is read where nothing breaks."""
    sound = talk.script.sound
    said = [
        (number, channel, text)
        for number in talk.script.tracks
        for channel, text in texts_of(number, sound).items()
    ]
    for number, channel, text in said:
        expected = words_of(world.undisturbed[sound, text]) * talk.script.rounds.get(number, 1)
        finals = [each for each in logged if (each.track, each.channel) == (str(number), channel)]
        heard = words_of(" ".join(each.text for each in finals))
        wrong = distance(expected, heard)
        outcome.words += len(expected)
        outcome.missing += wrong
        outcome.cuts += cuts
        outcome.worst = max(outcome.worst, wrong / max(1, cuts))
        if wrong > max(REPLAY_WORDS, cuts * SEAM_WORDS):
            outcome.blame(
                "lost",
                talk.journal.session_id,
                f"{wrong} words of track {number} differ after {cuts} cuts: {' '.join(heard)!r}",
            )


def words_of(text: str) -> list[str]:
    """The words of a text, without punctuation and casing."""
    return re.findall(r"[a-z0-9']+", text.lower())


def distance(expected: Sequence[str], heard: Sequence[str]) -> int:
    """How many words have to be replaced, put in or left out."""
    found = jiwer.process_words(" ".join(expected), " ".join(heard))
    return found.substitutions + found.deletions + found.insertions
