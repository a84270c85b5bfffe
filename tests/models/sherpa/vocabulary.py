"""The pieces of words that the tiny models know."""

from __future__ import annotations

from pathlib import Path

BINS = 80
UNKNOWN = 0
PIECES = (
    "<unk>", "▁the", "▁a", "▁bug", "▁bud", "get", "▁fix", "ed", "▁was", "▁by", "▁Fri", "day", "s",
    "▁week", "▁last", "▁in", "ing", ".", ",", "▁I",
)  # fmt: skip


def write_tokens(folder: Path, *, blank_last: bool) -> None:
    """Writes tokens.txt: a piece and its number in each line."""
    names = (*PIECES, "<blk>") if blank_last else ("<blk>", *PIECES)
    lines = "".join(f"{name} {number}\n" for number, name in enumerate(names))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")


def write_bpe_vocab(folder: Path) -> None:
    """Writes bpe.vocab: a piece and its score in each line, letters as well."""
    letters = {letter for piece in PIECES[1:] for letter in piece}
    names = (*PIECES, *sorted(letters - set(PIECES)))
    lines = "".join(f"{name}\t{-number}\n" for number, name in enumerate(names))
    (folder / "bpe.vocab").write_text(lines, encoding="utf-8")
