"""Adds sentence ends, question marks and capitals to the words of an utterance."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maie_enhancement.engine import Segment
from maie_enhancement.rules.boundaries import Boundaries, Gap, LogProb
from maie_enhancement.rules.casing import Casing, capitalise
from maie_enhancement.rules.english import load_rules
from maie_enhancement.rules.questions import Questions

# The pause that ends a sentence in a language without rules. Between utterances, the padding of
# voice activity detection hides a part of the pause.
PAUSE_SECONDS = 0.4
# Sentences are found in blocks of this many words, so that cancelling is prompt.
BLOCK_WORDS = 2000
SENTENCE_ENDS = frozenset(".?!…。？！")
CLAUSE_ENDS = frozenset(",;:")


class Stopped(Exception):
    """The work was cancelled."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Token:
    """A word as written, its normalised form, and the gap before it."""

    written: str
    word: str
    segment: int
    gap: Gap


def normalise(written: str) -> str:
    """A word in lower case without surrounding punctuation, such as "i'm" for "(I'm,"."""
    return written.casefold().replace("’", "'").strip("\"'.,;:?!…()[]{}<>-—–*_")


def tokenise(segments: Sequence[Segment]) -> list[Token]:
    """The words of all segments, in order, with the pauses before them."""
    tokens = []
    end: float | None = None
    for index, segment in enumerate(segments):
        texts = segment.text.split()
        # Word times are usable only if they are those of the text's words.
        timed = [word.text.strip() for word in segment.words] == texts
        for at, written in enumerate(texts):
            start = segment.words[at].start if timed else (None if at else segment.start)
            pause = None if start is None or end is None else max(start - end, 0.0)
            gap = Gap(pause=pause, segment_end=at == 0)
            tokens.append(Token(written=written, word=normalise(written), segment=index, gap=gap))
            end = segment.words[at].end if timed else None
        end = end if timed else (segment.end if texts else end)
    return tokens


class Punctuator:
    """Writes clean text.

    Args:
        log_prob: The English language model.
    """

    def __init__(self, log_prob: LogProb) -> None:
        rules = load_rules()
        self._boundaries = Boundaries(rules, log_prob)
        self._questions = Questions(rules)
        self._casing = Casing(rules)

    def punctuate(
        self, segments: Sequence[Segment], *, english: bool, stop: threading.Event
    ) -> Iterator[str]:
        """The clean text of each segment, in order.

        A sentence may continue in the next segment. The words stay as they are.

        Args:
            segments: The segments in recording order.
            english: Whether the English rules apply. Without them, a
                pause ends a sentence, and there are no question marks.
            stop: Ends the work early when set.

        Raises:
            Stopped: `stop` was set.
        """
        tokens = tokenise(segments)
        clean: list[list[str]] = [[] for _ in segments]
        for sentence in self._sentences(tokens, english=english, stop=stop):
            written = self._write(sentence, english=english)
            for token, word in zip(sentence, written, strict=True):
                clean[token.segment].append(word)
        for words in clean:
            yield " ".join(words)

    def _sentences(
        self, tokens: Sequence[Token], *, english: bool, stop: threading.Event
    ) -> Iterator[Sequence[Token]]:
        at = 0
        while at < len(tokens):
            if stop.is_set():
                raise Stopped
            block = tokens[at : at + BLOCK_WORDS]
            starts = self._starts(block, english=english)
            last = at + len(block) == len(tokens)
            # The last sentence of a block may be cut: the next block repeats it.
            ends = [*starts[1:], len(block)] if last or len(starts) == 1 else starts[1:]
            for start, end in zip(starts, ends, strict=False):
                yield block[start:end]
            at += ends[-1]

    def _starts(self, tokens: Sequence[Token], *, english: bool) -> list[int]:
        marks = [_mark(token.written) for token in tokens]
        ended = {at for at in range(1, len(tokens)) if marks[at - 1] in SENTENCE_ENDS}
        going_on = {at for at in range(1, len(tokens)) if marks[at - 1] in CLAUSE_ENDS}
        if english:
            found = self._boundaries.starts(
                [token.word for token in tokens], [token.gap for token in tokens]
            )
        else:
            found = [0, *(at for at in range(1, len(tokens)) if _pauses(tokens[at].gap))]
        return sorted((set(found) - going_on) | ended)

    def _write(self, sentence: Sequence[Token], *, english: bool) -> list[str]:
        written = [token.written for token in sentence]
        words = [token.word for token in sentence]
        if english:
            for at in range(len(words)):
                if self._casing.is_proper(words, at):
                    written[at] = capitalise(written[at])
        written[0] = capitalise(written[0])
        if _mark(written[-1]) not in SENTENCE_ENDS | CLAUSE_ENDS:
            written[-1] += "?" if english and self._questions.is_question(words) else "."
        return written


def _mark(written: str) -> str:
    """The last character of a written word without quotes and brackets."""
    return written.rstrip("\"')]")[-1:]


def _pauses(gap: Gap) -> bool:
    return gap.pause is not None and gap.pause >= PAUSE_SECONDS
