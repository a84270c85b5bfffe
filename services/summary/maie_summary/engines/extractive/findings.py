"""Finds decisions, action items, topics and key points in a transcript."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maie_summary.engines.extractive.actions import Actions, names_in
from maie_summary.engines.extractive.cues import Cues
from maie_summary.engines.extractive.dates import find_dates
from maie_summary.engines.extractive.rank import ENGLISH, MAX_SENTENCES, lexrank, similarities
from maie_summary.engines.extractive.sentences import Sentence
from maie_summary.engines.extractive.topics import Topics

# The most central sentences that a part keeps, and the most sentences of each kind of cue.
KEPT_RANKED = 20
KEPT_CUED = 40
# A summary has about a quarter of the sentences, but at most this many.
KEY_SHARE = 0.25
MIN_KEY_POINTS = 4
MAX_KEY_POINTS = 30
ABSTRACT_SENTENCES = 5
# An abstract has one of this many sentences.
SENTENCES_PER_ABSTRACTED = 3
MIN_SENTENCES = 6
QUESTION_MARKS = ("?", "？", "؟")
TITLE_TOPICS = 3
MAX_TOPICS = 20
# The similarity from which two sentences count as the same.
SAME = 0.75


@dataclass(kw_only=True, frozen=True, slots=True)
class Finding:
    """A finding.

    Attributes:
        text: The sentence, or text derived from it.
        segment_ids: The segments of the sentence.
        fields: Its fields by name, such as owner and due; None if unknown.
        speaker: What people call who says the sentence; empty if nobody knows.
    """

    text: str
    segment_ids: tuple[str, ...]
    fields: dict[str, str | None] = field(default_factory=dict)
    speaker: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """The sentences kept of one part of a recording.

    Attributes:
        sentences: The sentences, in order.
        language: As an ISO 639-1 code.
    """

    sentences: tuple[Sentence, ...]
    language: str = ENGLISH


Findings = dict[str, list[Finding]]
"""Findings by slot: decisions, actions, questions, key_points, abstract, ..."""


class Finder:
    """Finds the contents of templates.

    Args:
        cues: The tables of `english.toml`.
    """

    def __init__(self, cues: dict[str, Any]) -> None:
        self._cues = Cues(cues)
        self._actions = Actions(cues)
        self._topics = Topics(cues)

    def keep(self, sentences: Sequence[Sentence], language: str = ENGLISH) -> list[Sentence]:
        """The sentences of one part that the reduce step needs, ranked, in order.

        Args:
            sentences: All sentences of the part.
            language: As an ISO 639-1 code. There are cue phrases only for English.
        """
        names = names_in(sentence.text for sentence in sentences)
        is_english = language == ENGLISH
        plain = [at for at, s in enumerate(sentences) if not self._is_chatter(s.text, language)]
        plain = plain[:MAX_SENTENCES]
        ranks = lexrank(similarities([sentences[at].text for at in plain], language))
        scores = dict(zip(plain, ranks, strict=True))
        kept = set(sorted(plain, key=lambda at: (-scores[at], at))[:KEPT_RANKED])
        cues = (self._cues.is_decision, lambda text: bool(self._actions.find(text, names)))
        for is_kind in (self._cues.is_question, *(cues if is_english else ())):
            found = (at for at, sentence in enumerate(sentences) if is_kind(sentence.text))
            kept.update(at for at, _ in zip(found, range(KEPT_CUED), strict=False))
        return [replace(sentences[at], score=scores.get(at, 0.0)) for at in sorted(kept)]

    def find(self, parts: Sequence[Part]) -> Findings:
        """The findings of all parts, each list in recording order.

        Parts that are not English give only central sentences and questions, and no
        topics, which would make a meaningless title.
        """
        english = [part for part in parts if part.language == ENGLISH]
        sentences = [sentence for part in english for sentence in part.sentences]
        names = names_in(sentence.text for sentence in sentences)
        findings: Findings = {"decisions": [], "actions": [], "dates": []}
        for sentence in sentences:
            text, whole = sentence.text, _whole(sentence)
            findings["actions"] += [
                replace(
                    whole, fields={"task": action.task, "owner": action.owner, "due": action.due}
                )
                for action in self._actions.find(text, names, sentence.speaker)
            ]
            if self._cues.is_decision(text):
                findings["decisions"].append(whole)
            findings["dates"] += [
                replace(whole, text=date, fields={"due": date, "event": text})
                for date in find_dates(text)
            ]
        owners = {action.fields["owner"] or "" for action in findings["actions"]}
        findings["questions"] = [
            _whole(sentence)
            for part in parts
            for sentence in part.sentences
            if self._cues.is_question(sentence.text)
            and not (part.language == ENGLISH and self._actions.find(sentence.text, names))
        ]
        findings |= self._central(parts)
        findings |= self._named(sentences, names | owners)
        return findings

    def _central(self, parts: Sequence[Part]) -> Findings:
        """Key points and abstract: the most central sentences, without repetitions.

        A sentence that shares no word with any other is not central. Of only a few
        sentences, none is central.
        """
        languages = {part.language for part in parts}
        texts = [
            sentence
            for sentence in _bounded([part.sentences for part in parts])
            if not self._is_chatter(sentence.text, *languages)
            and not sentence.text.endswith(QUESTION_MARKS)
        ]
        matrix = similarities(
            [s.text for s in texts], languages.pop() if len(languages) == 1 else ""
        )
        ranks = lexrank(matrix)
        chosen: list[int] = []
        most = min(max(math.ceil(len(texts) * KEY_SHARE), MIN_KEY_POINTS), MAX_KEY_POINTS)
        most = most if len(texts) >= MIN_SENTENCES else 0
        central = [at for at in range(len(texts)) if matrix[at].any()]
        for at in sorted(central, key=lambda at: (-ranks[at], at)):
            if len(chosen) < most and all(matrix[at][other] < SAME for other in chosen):
                chosen.append(at)
        short = min(ABSTRACT_SENTENCES, len(texts) // SENTENCES_PER_ABSTRACTED)
        return {
            name: [_whole(texts[at]) for at in sorted(chosen[:count])]
            for name, count in (("key_points", most), ("abstract", short))
        }

    def _is_chatter(self, text: str, *languages: str) -> bool:
        return languages == (ENGLISH,) and self._cues.is_chatter(text)

    def _named(self, sentences: Sequence[Sentence], names: frozenset[str]) -> Findings:
        """The topics and the title made from them."""
        plain = [s for s in sentences if not self._cues.is_chatter(s.text)]
        topics = []
        for phrase in self._topics.find((s.text for s in plain), names)[:MAX_TOPICS]:
            said = [s for s in plain if phrase in s.text.lower()][:KEPT_CUED]
            ids = tuple(dict.fromkeys(name for s in said for name in s.segment_ids))
            topics.append(Finding(text=phrase, segment_ids=ids))
        title = ", ".join(topic.text for topic in topics[:TITLE_TOPICS])
        ids = tuple(dict.fromkeys(i for topic in topics[:TITLE_TOPICS] for i in topic.segment_ids))
        titles = [Finding(text=title[:1].upper() + title[1:], segment_ids=ids)] if title else []
        return {"topics": topics, "title": titles}


def _whole(sentence: Sentence) -> Finding:
    return Finding(text=sentence.text, segment_ids=sentence.segment_ids, speaker=sentence.speaker)


def _bounded(parts: Sequence[Sequence[Sentence]]) -> list[Sentence]:
    """At most `MAX_SENTENCES`: the most central ones of each part, equally many of each."""
    share = max(MAX_SENTENCES // max(len(parts), 1), 1)
    chosen = []
    for part in parts:
        best = sorted(range(len(part)), key=lambda at: (-part[at].score, at))[:share]
        chosen += [part[at] for at in sorted(best)]
    return chosen[:MAX_SENTENCES]
