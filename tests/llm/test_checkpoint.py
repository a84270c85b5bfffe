"""Models are verified before anything reads them, and say of themselves what they must."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from maie_cli.models import trust
from maie_core.errors import Code, StageError
from maie_llm import Generation
from maie_llm.checkpoint import checkpoint_generation, open_checkpoint
from maie_llm.settings import VllmSettings

pytestmark = pytest.mark.unit

# Safetensors: the length of a JSON header, and one that names no tensor.
WEIGHTS = "\2\0\0\0\0\0\0\0{}"
OTHER_WEIGHTS = "\3\0\0\0\0\0\0\0{ }"
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


def write_model(root: Path, **changes: str | None) -> Path:
    """A directory laid out as a model; None leaves a file out."""
    files: dict[str, str | None] = {
        "config.json": json.dumps({"dtype": "bfloat16"}),
        "generation_config.json": json.dumps({"temperature": 0.6, "top_k": 20}),
        "tokenizer_config.json": "{}",
        "tokenizer.json": "{}",
        "model.safetensors": WEIGHTS,
        "chat_template.jinja": TEMPLATE,
    }
    root.mkdir(exist_ok=True)
    for name, text in {**files, **changes}.items():
        if text is not None:
            (root / name).write_text(text)
    trust(root)
    return root


def settings(root: Path | None, **other: Any) -> VllmSettings:
    return VllmSettings(model_path=root, **other)


def refused(what: VllmSettings, reason: str) -> str:
    with pytest.raises(StageError) as error:
        open_checkpoint(what)
    assert error.value.code is Code.FAILED_PRECONDITION
    assert error.value.reason == reason
    return error.value.message


def test_that_a_verified_model_says_what_it_is(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(settings(write_model(tmp_path / "qwen3-tiny")))
    assert checkpoint.name == "qwen3-tiny"
    assert checkpoint.dtype == "bfloat16"
    assert checkpoint.quantization == ""
    assert checkpoint.generation == Generation(temperature=0.6, top_k=20)
    assert checkpoint.chat_template == TEMPLATE
    assert checkpoint.chat_template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert len(checkpoint.sha256) == 64


def test_that_the_quantisation_is_what_the_checkpoint_says(tmp_path: Path) -> None:
    config = json.dumps({"quantization_config": {"quant_method": "awq", "bits": 4}})
    root = write_model(tmp_path, **{"config.json": config})
    assert open_checkpoint(settings(root)).quantization == "awq"


def test_that_no_model_is_an_error_that_tells_how_to_get_one() -> None:
    assert "maie models pull" in refused(settings(None), "MODEL_MISSING")


def test_that_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "gone") in refused(settings(tmp_path / "gone"), "MODEL_MISSING")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "model.safetensors"])
def test_that_a_model_without_a_part_of_it_is_refused(tmp_path: Path, name: str) -> None:
    message = refused(settings(write_model(tmp_path, **{name: None})), "MODEL_MISSING")
    assert name.removeprefix("model.") in message


def test_that_a_changed_file_is_named_with_both_hashes(tmp_path: Path) -> None:
    root = write_model(tmp_path)
    (root / "model.safetensors").write_text(OTHER_WEIGHTS)
    message = refused(settings(root), "MODEL_CORRUPT")
    assert "model.safetensors" in message
    for text in (WEIGHTS, OTHER_WEIGHTS):
        assert hashlib.sha256(text.encode()).hexdigest() in message


@pytest.mark.parametrize("name", ["chat_template.jinja", "generation_config.json"])
def test_that_a_file_that_came_later_is_refused_too(tmp_path: Path, name: str) -> None:
    root = write_model(
        tmp_path, **{name: None, "tokenizer_config.json": json.dumps({"chat_template": TEMPLATE})}
    )
    open_checkpoint(settings(root))
    (root / name).write_text("{}")
    assert f"{name} in" in refused(settings(root), "MODEL_CORRUPT")


def test_that_a_model_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    root = write_model(tmp_path)
    (root / "maie-manifest.json").unlink()
    assert "maie models verify --trust" in refused(settings(root), "MODEL_CORRUPT")


def test_that_pickles_are_refused(tmp_path: Path) -> None:
    root = write_model(tmp_path, **{"pytorch_model.bin": "pickle"})
    assert "pytorch_model.bin" in refused(settings(root), "MODEL_UNSAFE")


def test_that_a_template_inside_the_tokenizers_configuration_is_found(tmp_path: Path) -> None:
    config = json.dumps({"chat_template": "inside"})
    root = write_model(tmp_path, **{"chat_template.jinja": None, "tokenizer_config.json": config})
    assert open_checkpoint(settings(root)).chat_template == "inside"


def test_that_an_operators_template_takes_the_place_of_the_models(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jinja"
    mine.write_text("mine")
    root = write_model(tmp_path / "model")
    assert open_checkpoint(settings(root, chat_template=mine)).chat_template == "mine"
    gone = tmp_path / "gone.jinja"
    assert str(gone) in refused(settings(root, chat_template=gone), "MODEL_MISSING")


def test_that_a_model_without_a_template_is_refused(tmp_path: Path) -> None:
    root = write_model(tmp_path, **{"chat_template.jinja": None})
    assert "chat template" in refused(settings(root), "MODEL_MISSING")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, Generation()),
        ({"max_new_tokens": 512, "eos_token_id": 2}, Generation(max_tokens=512)),
        ({"top_k": -1, "top_p": 0.8, "min_p": 0.0}, Generation(top_k=0, top_p=0.8, min_p=0.0)),
        ({"do_sample": False, "temperature": 0.9}, Generation(temperature=0.0)),
        ({"do_sample": True, "repetition_penalty": 1.1}, Generation(repetition_penalty=1.1)),
    ],
)
def test_what_generation_config_means(
    tmp_path: Path, said: dict[str, Any], meant: Generation
) -> None:
    (tmp_path / "generation_config.json").write_text(json.dumps(said))
    assert checkpoint_generation(tmp_path) == meant


def test_that_a_model_that_says_nothing_of_drawing_is_no_error(tmp_path: Path) -> None:
    assert checkpoint_generation(tmp_path) == Generation()


@pytest.mark.parametrize("text", ['{"temperature": "hot"}', '{"top_p": 2}', "[]", "{"])
def test_that_nonsense_is_refused_and_not_left_to_a_lower_layer(tmp_path: Path, text: str) -> None:
    (tmp_path / "generation_config.json").write_text(text)
    with pytest.raises(StageError) as error:
        checkpoint_generation(tmp_path)
    assert error.value.reason == "MODEL_CORRUPT"
    assert "generation_config.json" in error.value.message
