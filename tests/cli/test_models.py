"""`maie models`: fetching from a mirror and from a directory, verifying, and refusing."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from maie_cli.app import app
from maie_cli.models import CatalogueModel, catalogue_model, pull
from maie_runtime.errors import Code, StageError
from maie_runtime.models import MANIFEST, read_manifest, verify_directory
from tests.asr.recordings import TINY_WHISPER

pytestmark = pytest.mark.unit

REVISION = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "maie-tests/tiny-whisper"


@dataclass
class Mirror:
    """A server that speaks as much of the hub's protocol as a client needs.

    Attributes:
        files: The files of the one repository, by name.
        asked: The paths that were asked for.
    """

    files: dict[str, bytes]
    url: str = ""
    asked: list[str] = field(default_factory=list)


def handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            mirror.asked.append(self.path)
            prefix = f"/{REPOSITORY}/resolve/{REVISION}/"
            path = self.path.partition("?")[0]
            if path == f"/api/models/{REPOSITORY}/tree/{REVISION}":
                tree = [
                    {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                    for name, content in mirror.files.items()
                ]
                self.answer(json.dumps(tree).encode(), {"Content-Type": "application/json"})
            elif path.startswith(prefix) and path.removeprefix(prefix) in mirror.files:
                body_bytes = mirror.files[path.removeprefix(prefix)]
                etag = hashlib.sha256(body_bytes).hexdigest()
                self.answer(body_bytes, {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION})
            else:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def answer(self, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Standard error is for pytest."""

    return Handler


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    files = {path.name: path.read_bytes() for path in TINY_WHISPER.iterdir()}
    found = Mirror({**files, "README.md": b"About.", "evil.pt": b"pickle"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def tiny(**changes: object) -> CatalogueModel:
    weights = hashlib.sha256((TINY_WHISPER / "model.bin").read_bytes()).hexdigest()
    values = {
        "name": "tiny",
        "description": "A model.",
        "repository": REPOSITORY,
        "revision": REVISION,
        "license": "MIT",
        "files": ("config.json", "model.bin", "preprocessor_config.json", "*.json"),
        "sha256": {"model.bin": weights},
        "torch": False,
        **changes,
    }
    return CatalogueModel(**values)  # type: ignore[arg-type]


def refusal(model: CatalogueModel, models: Path, source: str) -> StageError:
    with pytest.raises(StageError) as caught:
        pull(model, models, source)
    assert not (models / model.name).exists()
    return caught.value


def maie(*arguments: object, models: Path) -> Result:
    environment = {"MAIE_MODELS_DIR": str(models)}
    return CliRunner().invoke(app, ["models", *map(str, arguments)], env=environment)


def test_a_mirror_serves_the_pinned_revision(mirror: Mirror, tmp_path: Path) -> None:
    path = pull(tiny(), tmp_path, mirror.url)
    manifest = verify_directory(path)
    assert (manifest.repository, manifest.revision) == (REPOSITORY, REVISION)
    assert {"config.json", "model.bin", "tokenizer.json"} <= set(manifest.files)
    assert not (path / "evil.pt").exists()
    assert not (path / ".cache").exists()
    assert (path / "model.bin").read_bytes() == mirror.files["model.bin"]
    resolved = [each for each in mirror.asked if "/resolve/" in each]
    assert resolved
    assert all(REVISION in each for each in resolved)


def test_what_is_there_and_whole_is_not_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    first = pull(tiny(), tmp_path, mirror.url)
    asked = len(mirror.asked)
    assert pull(tiny(), tmp_path, mirror.url) == first
    assert len(mirror.asked) == asked


def test_another_revision_takes_the_place_of_the_one_that_is_there(
    mirror: Mirror, tmp_path: Path
) -> None:
    pull(tiny(revision="f" * 40), tmp_path, str(TINY_WHISPER))
    path = pull(tiny(), tmp_path, mirror.url)
    manifest = read_manifest(path)
    assert manifest is not None
    assert manifest.revision == REVISION


def test_weights_that_are_not_the_catalogues_are_not_let_in(mirror: Mirror, tmp_path: Path) -> None:
    expected = hashlib.sha256(mirror.files["model.bin"]).hexdigest()
    mirror.files["model.bin"] = b"other weights"
    error = refusal(tiny(), tmp_path, mirror.url)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "MODEL_CORRUPT")
    actual = hashlib.sha256(b"other weights").hexdigest()
    for part in ("model.bin", expected, actual):
        assert part in error.message


def test_a_mirror_that_lacks_the_model_or_does_not_answer_is_said(
    mirror: Mirror, tmp_path: Path
) -> None:
    error = refusal(tiny(repository="maie-tests/other"), tmp_path, mirror.url)
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "HUB_UNREACHABLE")
    error = refusal(tiny(), tmp_path, "http://127.0.0.1:9")
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "HUB_UNREACHABLE")
    assert "--from" in error.message


def test_a_plain_directory_works_without_a_network(tmp_path: Path) -> None:
    path = pull(tiny(), tmp_path / "models", str(TINY_WHISPER))
    assert verify_directory(path).license == "MIT"
    assert not (path / "README.md").exists()
    again = pull(tiny(), tmp_path / "elsewhere", str(tmp_path / "models"))
    assert verify_directory(again) == verify_directory(path)


def test_a_directory_without_the_model_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere"):
        assert refusal(tiny(), tmp_path / "models", str(source)).reason == "MODEL_MISSING"


def test_torch_models_come_as_safetensors_or_not_at_all(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text("{}")
    (source / "pytorch_model.bin").write_bytes(b"pickle")
    torch = tiny(sha256={}, torch=True, files=("*.json", "*.safetensors", "*.bin"))
    assert refusal(torch, tmp_path / "models", str(source)).reason == "MODEL_UNSAFE"
    (source / "pytorch_model.bin").unlink()
    (source / "model.safetensors").write_bytes(b"tensors")
    path = pull(torch, tmp_path / "models", str(source))
    assert set(verify_directory(path).files) == {"config.json", "model.safetensors"}


def test_any_repository_can_be_named_by_its_commit() -> None:
    model = catalogue_model(f"Qwen/Qwen3-4B@{REVISION}")
    assert (model.name, model.repository, model.revision) == ("Qwen3-4B", "Qwen/Qwen3-4B", REVISION)
    assert model.torch
    for name in ("Qwen/Qwen3-4B", "Qwen/Qwen3-4B@main", "../../etc@" + REVISION, "whisper-huge"):
        with pytest.raises(StageError) as caught:
            catalogue_model(name)
        assert caught.value.reason == "MODEL_UNKNOWN"


def test_the_commands_find_verify_and_name_a_model(tmp_path: Path) -> None:
    listed = maie("list", "--json", models=tmp_path)
    states = {json.loads(line)["name"]: json.loads(line)["state"] for line in lines(listed)}
    assert states["whisper-large-v3"] == "not here"
    missing = maie("path", "mine", models=tmp_path)
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "maie models pull mine" in missing.stderr

    shutil.copytree(TINY_WHISPER, tmp_path / "mine", ignore=shutil.ignore_patterns(MANIFEST))
    assert maie("path", "mine", models=tmp_path).stdout == f"{tmp_path / 'mine'}\n"
    assert maie("verify", "mine", models=tmp_path).exit_code == 1
    assert maie("verify", "mine", "--trust", models=tmp_path).exit_code == 0
    assert maie("verify", tmp_path / "mine", models=tmp_path).exit_code == 0
    (tmp_path / "mine" / "config.json").write_text("{}")
    damaged = maie("verify", "mine", models=tmp_path)
    assert damaged.exit_code == 1
    assert "config.json" in damaged.stderr


def test_pull_refuses_what_it_cannot_verify_and_says_so(tmp_path: Path) -> None:
    unknown = maie("pull", "whisper-huge", models=tmp_path)
    assert unknown.exit_code == 2
    assert "whisper-small" in unknown.stderr
    # The tiny model is not whisper-small, whatever it is called.
    other = maie("pull", "whisper-small", "--from", TINY_WHISPER, models=tmp_path)
    assert other.exit_code == 1
    assert "model.bin" in other.stderr
    assert maie("path", "whisper-small", models=tmp_path).exit_code == 1


def lines(done: Result) -> list[str]:
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()
