"""What the decoder reads and is to write of a window, as tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tests.models.voices.sentences import SENTENCES
from tests.models.voices.tokens import Vocabulary
from tests.models.voices.windows import FRAME, Mixture, Turn

IGNORED = -100
# The most text that faster-whisper puts before a window.
MOST_PROMPT = 223

Span = tuple[int, int]


@dataclass(kw_only=True, slots=True)
class Target:
    """A sequence for the decoder; all lists are as long.

    Attributes:
        inputs: What it reads.
        labels: What it is to write behind each; IGNORED where nothing is asked.
        guides: The frames that it should look at then; None where that is up to it.
    """

    inputs: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    guides: list[Span | None] = field(default_factory=list)

    def say(self, token: int, label: int = IGNORED, guide: Span | None = None) -> None:
        """Adds a token and what is to be written behind it."""
        self.inputs.append(token)
        self.labels.append(label)
        self.guides.append(guide)


@dataclass(kw_only=True, frozen=True, slots=True)
class Targets:
    """Draws sequences for windows."""

    vocabulary: Vocabulary
    chance: np.random.Generator

    def draw(self, turns: list[Turn], offset: int, mixture: Mixture) -> Target:
        """A sequence for what is said.

        Args:
            turns: What is said in the window.
            offset: Where the window is put within 30 seconds, in frames.
            mixture: How often there is a prompt.
        """
        special = self.vocabulary.special
        has_times = self.chance.random() < 0.6
        task = "<|translate|>" if self.chance.random() < 0.08 else "<|transcribe|>"
        written = self._written(turns, offset, has_times=has_times)
        target = Target()
        for token in self._prompt(mixture):
            target.say(token)
        # Language and absence of speech are both told behind the first token.
        language = special("<|en|>")
        target.say(special("<|startoftranscript|>"), language if turns else special("<|nospeech|>"))
        head = [language, special(task)]
        if not has_times:
            head.append(special("<|notimestamps|>"))
        for token in head[:-1]:
            target.say(token)
        before = head[-1]
        for token, guide in written:
            target.say(before, token, guide)
            before = token
        return target

    def _prompt(self, mixture: Mixture) -> list[int]:
        """Text that came before, cut like faster-whisper's; most often none."""
        if self.chance.random() >= mixture.prompted:
            return []
        many = self.chance.random() < mixture.talkative
        has_times = self.chance.random() < 0.7
        tokens: list[int] = []
        for _ in range(self.chance.integers(4, 20) if many else self.chance.integers(1, 4)):
            sentence = SENTENCES[self.chance.integers(len(SENTENCES))]
            text, _ = self.vocabulary.encode(tuple(sentence.split()))
            if has_times:
                start = self.vocabulary.timestamps + int(self.chance.integers(0, 1300))
                text = [start, *text, start + int(self.chance.integers(50, 200))]
            tokens += text
        return [self.vocabulary.special("<|startofprev|>"), *tokens[-MOST_PROMPT:]]

    def _written(
        self, turns: list[Turn], offset: int, *, has_times: bool
    ) -> list[tuple[int, Span | None]]:
        """The text with its end, each token with the frames that it comes from."""
        shift = offset * FRAME
        written: list[tuple[int, Span | None]] = []
        for turn in turns:
            if has_times:
                written.append(self._start(turn, shift, is_first=not written))
                if turn.is_open:
                    # The next window begins here.
                    break
            words = tuple(word.text for word in turn.words)
            tokens, owners = self.vocabulary.encode(words) if words else ([], [])
            for token, owner in zip(tokens, owners, strict=True):
                word = turn.words[owner]
                written.append((token, (int(word.start / FRAME), math.ceil(word.end / FRAME))))
            if has_times:
                end = turn.words[-1].end
                frame = int(end / FRAME)
                token = self.vocabulary.timestamp(end + shift)
                written.append((token, (max(frame - 6, 0), frame + 3)))
        if not turns and has_times:
            written.append((self.vocabulary.timestamps, None))
        return [*written, (self.vocabulary.end, None)]

    def _start(self, turn: Turn, shift: float, *, is_first: bool) -> tuple[int, Span]:
        """The timestamp before a turn.

        faster-whisper bans first timestamps above one second, so that half of those become 0.00.
        """
        start = turn.start + shift
        if is_first and start > 1.0 and self.chance.random() < 0.5:
            start = 0.0
        frame = int(turn.start / FRAME)
        return self.vocabulary.timestamp(start), (max(frame - 3, 0), frame + 6)
