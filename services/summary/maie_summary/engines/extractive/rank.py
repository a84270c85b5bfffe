"""Ranks sentences by their centrality in a text.

LexRank (Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience
in Text Summarization", 2004) in its continuous form: PageRank over the cosine
similarity of TF-IDF vectors.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maie_summary.stop_words import ENGLISH_STOP_WORDS
from maie_summary.words import content_words

ENGLISH = "en"
DAMPING = 0.85
ITERATIONS = 50
# The similarities of this many sentences need 8 MB.
MAX_SENTENCES = 1000
DECIMALS = 9
_ENGLISH_WORD = re.compile(r"\b\w[\w']+\b")


def similarities(texts: Sequence[str], language: str = ENGLISH) -> NDArray[np.float64]:
    """The cosine similarity of each pair of texts, 0 to 1.

    Args:
        texts: At most `MAX_SENTENCES`.
        language: As a BCP-47 tag, for the stop words.

    Returns:
        A matrix of shape (texts, texts), with 0 on its diagonal.
    """
    matrix = np.zeros((len(texts), len(texts)))
    # By word, since most pairs of sentences share none.
    found: dict[str, tuple[list[int], list[float]]] = {}
    for row, vector in enumerate(_tf_idf([Counter(_terms(text, language)) for text in texts])):
        for word, weight in vector.items():
            rows, weights = found.setdefault(word, ([], []))
            rows.append(row)
            weights.append(weight)
    for rows, weights in found.values():
        if len(rows) > 1:
            matrix[np.ix_(rows, rows)] += np.outer(weights, weights)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _terms(text: str, language: str) -> list[str]:
    if language != ENGLISH:
        return content_words(text, language)
    return [word for word in _ENGLISH_WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS]


def _tf_idf(counts: Sequence[Counter[str]]) -> list[dict[str, float]]:
    """A vector of length 1 for each text, by word; empty for a text without words.

    Term frequencies are logarithmic. Document frequencies count one text more, with all words.
    """
    containing = Counter(word for count in counts for word in count)
    total = len(counts) + 1
    rarity = {word: math.log(total / (texts + 1)) + 1 for word, texts in containing.items()}
    vectors = []
    for count in counts:
        vector = {word: (math.log(times) + 1) * rarity[word] for word, times in count.items()}
        length = math.hypot(*vector.values())
        vectors.append({word: weight / length for word, weight in vector.items()})
    return vectors


def lexrank(matrix: NDArray[np.float64]) -> list[float]:
    """The LexRank of each sentence; their sum is at most 1.

    A sentence without similar ones has the lowest rank.

    Args:
        matrix: The result of `similarities`.
    """
    count = max(len(matrix), 1)
    degrees = matrix.sum(axis=1, keepdims=True)
    transitions = np.divide(matrix, degrees, out=np.zeros_like(matrix), where=degrees > 0)
    ranks = np.full(len(matrix), 1 / count)
    for _ in range(ITERATIONS):
        ranks = (1 - DAMPING) / count + DAMPING * (ranks @ transitions)
    # The last digits of float sums differ between machines.
    return [round(float(rank), DECIMALS) for rank in ranks]
