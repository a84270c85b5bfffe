"""Learns how English letters sound from the dictionary in pocketsphinx's wheel.

`python -m tools.letter_sounds` writes the file of maie_alignment; `--held-out` says how well words
are spoken that were not learnt from.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log
from pathlib import Path
from typing import Any

import pocketsphinx
from rapidfuzz.distance import Levenshtein

from maie_alignment.engines.embedded.letters import (
    CONTEXT,
    Chunk,
    LetterSounds,
    neighbour,
    pronounce,
    split_phones,
)

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "services/alignment/maie_alignment/engines/embedded/letter_sounds.json"
ROUNDS = 4
# Every how manyth word is held out, and is a sample for the first rounds.
HELD_OUT = 20
SAMPLE = 8
# A rule that so few words of the dictionary have is chance.
MIN_COUNT = 3
# Sounds that a letter has less often than this are errors of the dictionary.
MIN_SHARE = 0.0005
# What rounds begin with: without them the letter beside takes one of the two sounds, and keeps it.
SEEDS = {"x": {"K S": 0.2, "G Z": 2.0, "Z": 3.0}, "u": {"Y UW": 1.0, "Y AH": 2.0}}

Entry = tuple[str, list[str]]
Costs = dict[str, dict[str, float]]
Example = tuple[tuple[str, ...], str]


def entries() -> list[Entry]:
    """The words of letters alone, and how each is spoken most often."""
    path = Path(pocketsphinx.get_model_path(), "en-us", "cmudict-en-us.dict")
    pairs = (line.split() for line in path.read_text("utf-8").splitlines())
    return [(word, phones) for word, *phones in pairs if re.fullmatch(r"[a-z][a-z']*", word)]


def learn(words: Sequence[Entry]) -> LetterSounds:
    """Learns from words."""
    costs: Costs = SEEDS
    for number in range(ROUNDS):
        last = number == ROUNDS - 1
        shared = share_out(words if last else words[::SAMPLE], costs)
        costs = counted(shared)
    examples: dict[str, list[Example]] = defaultdict(list)
    for word, chunks in share_out(words, costs):
        for place, chunk in enumerate(chunks):
            context = tuple(neighbour(word, place, offset) for offset in CONTEXT)
            examples[word[place]].append((context, " ".join(chunk)))
    rules = {letter: tree(found, 0) for letter, found in sorted(examples.items())}
    return LetterSounds(costs=costs, rules=rules)


def share_out(words: Iterable[Entry], costs: Costs) -> list[tuple[str, list[Chunk]]]:
    """The phones of each letter, of words that have no more than two for each."""
    return [
        (word, split_phones(word, phones, costs))
        for word, phones in words
        if len(phones) <= len(word) + 1
    ]


def counted(shared: Iterable[tuple[str, list[Chunk]]]) -> Costs:
    """What each letter costs with each chunk."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for word, chunks in shared:
        for letter, chunk in zip(word, chunks, strict=True):
            counts[letter][" ".join(chunk)] += 1
    return {
        letter: {
            chunk: round(-log(number / found.total()), 2)
            for chunk, number in sorted(found.items())
            if number / found.total() >= MIN_SHARE
        }
        for letter, found in sorted(counts.items())
    }


def tree(examples: Sequence[Example], depth: int) -> list[Any]:
    """A tree of rules, without branches that say what their root says."""
    best = Counter(chunk for _, chunk in examples).most_common(1)[0][0]
    if depth == len(CONTEXT) or all(chunk == best for _, chunk in examples):
        return [best]
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example[0][depth]].append(example)
    branches = {
        each: branch
        for each, group in sorted(groups.items())
        if len(group) >= MIN_COUNT and (branch := tree(group, depth + 1)) != [best]
    }
    return [best, branches] if branches else [best]


def accuracy(words: Sequence[Entry], sounds: LetterSounds) -> tuple[float, float]:
    """The share of words that are spoken as the dictionary says, and of phones that are wrong."""
    right = wrong = phones = 0
    for word, expected in words:
        errors = Levenshtein.distance(pronounce(word, sounds), expected)
        right += not errors
        wrong += errors
        phones += len(expected)
    return right / len(words), wrong / phones


def main() -> None:
    """Writes the file, or says how well it would do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-out", action="store_true")
    words = entries()
    if parser.parse_args().held_out:
        kept = [each for number, each in enumerate(words) if number % HELD_OUT]
        share, errors = accuracy(words[::HELD_OUT], learn(kept))
        print(f"{len(words[::HELD_OUT])} words: {share:.1%} right, {errors:.1%} of phones wrong")
        return
    sounds = learn(words)
    data = {"costs": sounds.costs, "rules": sounds.rules}
    TARGET.write_text(json.dumps(data, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
