"""Model directories and their manifests."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from maie_core.errors import Code, StageError
from maie_core.models import (
    MANIFEST,
    Manifest,
    checkpoint_sha256,
    file_sha256,
    read_manifest,
    refuse_pickles,
    verified_sha256,
    verify_directory,
    write_manifest,
)

pytestmark = pytest.mark.unit

FILES = {"config.json": b"{}", "model.bin": b"weights", "sub/vocabulary.txt": b"a b c"}
NAMES = tuple(FILES)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with its manifest."""
    for name, content in FILES.items():
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    root = tmp_path / "model"
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    write_manifest(root, Manifest(model="tiny", files=hashes))
    return root


def refusal(root: Path, *, expected: str = "", needs_proof: bool = True) -> StageError:
    with pytest.raises(StageError) as caught:
        verified_sha256(root, NAMES, expected, needs_proof=needs_proof)
    assert caught.value.code is Code.FAILED_PRECONDITION
    return caught.value


def test_what_was_pulled_is_let_in(model: Path) -> None:
    assert verified_sha256(model, NAMES, "") == checkpoint_sha256(model, NAMES)
    assert verify_directory(model) == read_manifest(model)


def test_the_hash_of_a_checkpoint_is_what_sha256sum_says(model: Path) -> None:
    listing = subprocess.run(
        ["sha256sum", *sorted(NAMES)], cwd=model, capture_output=True, check=True
    ).stdout
    assert checkpoint_sha256(model, NAMES) == hashlib.sha256(listing).hexdigest()


@pytest.mark.parametrize(
    "verify", [verify_directory, lambda root: verified_sha256(root, NAMES, "")]
)
def test_a_file_that_changed_is_named_with_both_hashes(
    model: Path, verify: Callable[[Path], object]
) -> None:
    was = file_sha256(model / "model.bin")
    (model / "model.bin").write_bytes(b"weightz")
    with pytest.raises(StageError) as caught:
        verify(model)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "MODEL_CORRUPT")
    for part in ("model.bin", was, file_sha256(model / "model.bin"), str(model)):
        assert part in caught.value.message


def test_a_file_that_the_manifest_does_not_name_is_refused(model: Path) -> None:
    (model / "added.json").write_bytes(b"{}")
    with pytest.raises(StageError) as caught:
        verified_sha256(model, [*NAMES, "added.json"], "")
    assert caught.value.reason == "MODEL_CORRUPT"
    assert "added.json" in caught.value.message


def test_a_file_that_went_is_missed_even_where_the_engine_could_do_without(model: Path) -> None:
    (model / "config.json").unlink()
    with pytest.raises(StageError) as caught:
        verified_sha256(model, ["model.bin"], "")
    assert caught.value.reason == "MODEL_MISSING"
    assert "config.json" in caught.value.message


def test_a_model_that_nothing_vouches_for_is_refused(model: Path) -> None:
    (model / MANIFEST).unlink()
    error = refusal(model)
    assert error.reason == "MODEL_CORRUPT"
    assert "maie models verify --trust" in error.message
    actual = checkpoint_sha256(model, NAMES)
    assert verified_sha256(model, NAMES, actual) == actual
    assert verified_sha256(model, NAMES, "", needs_proof=False) == actual


def test_the_settings_hash_counts_beside_the_manifest(model: Path) -> None:
    error = refusal(model, expected="0" * 64)
    assert "0" * 64 in error.message
    assert checkpoint_sha256(model, NAMES) in error.message


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"model": "a"}', b'{"model": "a", "files": {"b": "short"}}', b"\xff\xfe"],
)
def test_a_manifest_that_cannot_be_read_closes_the_door(model: Path, content: bytes) -> None:
    (model / MANIFEST).write_bytes(content)
    error = refusal(model, needs_proof=False)
    assert error.reason == "MODEL_CORRUPT"
    assert MANIFEST in error.message


def test_a_directory_without_a_manifest_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(StageError) as caught:
        verify_directory(tmp_path)
    assert caught.value.reason == "MODEL_MISSING"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "last.ckpt", "vocab.pkl"])
def test_a_torch_model_in_a_pickle_is_refused(model: Path, name: str) -> None:
    refuse_pickles(model)
    (model / name).write_bytes(b"")
    with pytest.raises(StageError) as caught:
        refuse_pickles(model)
    assert caught.value.reason == "MODEL_UNSAFE"
    assert name in caught.value.message
