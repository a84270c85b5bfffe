"""Ranks sentences by their centrality in a text.

LexRank (Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience
in Text Summarization", 2004) in its continuous form: PageRank over the cosine
similarity of TF-IDF vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from maie_summary.words import content_words

ENGLISH = "en"
DAMPING = 0.85
ITERATIONS = 50
# The similarities of this many sentences need 8 MB.
MAX_SENTENCES = 1000
DECIMALS = 9


def similarities(texts: Sequence[str], language: str = ENGLISH) -> NDArray[np.float64]:
    """The cosine similarity of each pair of texts, 0 to 1.

    Args:
        texts: At most `MAX_SENTENCES`.
        language: As a BCP-47 tag, for the stop words.

    Returns:
        A matrix of shape (texts, texts), with 0 on its diagonal.
    """
    words: dict[str, Any] = {"analyzer": partial(content_words, language_code=language)}
    if language == ENGLISH:
        words = {"token_pattern": r"(?u)\b\w[\w']+\b", "stop_words": "english"}
    vectorizer = TfidfVectorizer(**words, sublinear_tf=True)
    if not texts:
        return np.zeros((0, 0))
    try:
        vectors = vectorizer.fit_transform(texts)
    except ValueError:  # all words are stop words
        return np.zeros((len(texts), len(texts)))
    matrix: NDArray[np.float64] = (vectors @ vectors.T).toarray()
    np.fill_diagonal(matrix, 0.0)
    return matrix


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
