"""No option of the command takes a secret: others see the arguments of a command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from maie_cli.app import app
from tests.cli.command import run
from tests.planted_secrets.planting import NOWHERE, new_secret

pytestmark = pytest.mark.unit

# Words of options that take a secret, and of what such an option's help says.
NAMES = re.compile(
    r"secret|token|password|passwd|passphrase|credential|auth|(^|-)key(-|$)|seed|cookie|header"
)
# What looks like one and is none.
NO_SECRETS = {
    "maie livekit --api-key": "names a key; what is secret of it is LIVEKIT_API_SECRET",
    "maie keys rotate KEY": "the id of a key",
    "maie keys revoke KEY": "the id of a key",
}


def parameters(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every option and argument of a command and of those below it, by its name."""
    for parameter in command.params:
        if parameter.param_type_name == "option":
            for name in (*parameter.opts, *parameter.secondary_opts):
                yield f"{path} {name}", parameter
        else:
            yield f"{path} {parameter.metavar or parameter.name.upper()}", parameter
    for name, below in getattr(command, "commands", {}).items():
        yield from parameters(below, f"{path} {name}")


ALL = dict(parameters(typer.main.get_command(app), "maie"))


def takes_a_secret(name: str, parameter: Any) -> bool:
    """Whether an option looks as if its value were a secret; files and switches do not."""
    kind = parameter.type_descriptor.annotation
    return kind not in (Path, bool) and bool(NAMES.search(name.rpartition(" ")[2].lower()))


def test_the_walk_finds_the_options_of_every_command() -> None:
    for one in ("maie up --data", "maie keys create --output", "maie nats config --tls-key"):
        assert one in ALL
    assert len(ALL) > 150


def test_no_option_takes_a_secret() -> None:
    assert {name for name, each in ALL.items() if takes_a_secret(name, each)} == NO_SECRETS.keys()


def test_every_option_that_takes_a_url_refuses_a_password() -> None:
    taking = {name for name, each in ALL.items() if "URL" in (each.metavar or "")}
    assert taking == {
        "maie align --clips-to",
        "maie align FILE|FOLDER|URL",
        "maie livekit --url",
        "maie models pull --from",
        "maie nats config --route",
        # tests/mesh/test_blob_url.py
        "maie restore --blob-url",
        "maie share create --web",
        "maie up --blob-url",
    }, "refuse a URL with a password, test it below, and name the option here"


def test_an_option_for_a_secret_is_found() -> None:
    new = typer.Typer()

    @new.command()
    def command(password: str, api_secret: str = "", tls_key: Path | None = None) -> None: ...

    found = dict(parameters(typer.main.get_command(new), "new"))
    assert {name for name, each in found.items() if takes_a_secret(name, each)} == {
        "new PASSWORD",
        "new --api-secret",
    }


def test_a_key_without_its_secret_says_where_it_belongs() -> None:
    environment = {"LIVEKIT_URL": f"ws://{NOWHERE}", "LIVEKIT_API_KEY": "key"}
    ended = run("livekit", "room", environment=environment)
    assert ended.code == 2
    assert "LIVEKIT_API_SECRET_FILE" in ended.errors


@pytest.mark.parametrize("form", ["--api-secret={}", "--api-secret {}"])
def test_a_secret_in_the_arguments_is_refused_and_not_repeated(form: str) -> None:
    secret = new_secret()
    arguments = form.format(secret).split()
    environment = {"LIVEKIT_URL": f"ws://{NOWHERE}", "LIVEKIT_API_KEY": "key"}
    ended = run("livekit", "room", *arguments, environment=environment)
    assert ended.code == 2
    assert "--api-secret" in ended.errors
    assert secret not in ended.output + ended.errors


def test_the_secret_of_livekit_comes_from_a_file(tmp_path: Path) -> None:
    secret, file = new_secret(), tmp_path / "secret"
    environment = {
        "LIVEKIT_URL": f"ws://{NOWHERE}",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET_FILE": str(file),
    }
    missing = run("livekit", "room", environment=environment)
    file.write_text(f"{secret}\n")
    tried = run("livekit", "room", environment=environment)
    both = run("livekit", "room", environment={**environment, "LIVEKIT_API_SECRET": secret})
    url = f"ws://maie:{secret}@{NOWHERE}"
    in_url = run("livekit", "room", "--url", url, environment=environment)
    assert (missing.code, tried.code, both.code, in_url.code) == (2, 3, 2, 2)
    assert f"names {file}, which cannot be read" in missing.errors
    assert "cannot be joined" in tried.errors
    assert "exclude each other" in both.errors
    for ended in (missing, tried, both, in_url):
        assert secret not in ended.output + ended.errors


def test_a_link_has_no_password_of_the_web_part() -> None:
    secret = new_secret()
    refused = run("share", "x", "--web", f"https://maie:{secret}@{NOWHERE}", environment={})
    assert refused.code == 2
    assert "no user and password" in refused.errors
    assert secret not in refused.output + refused.errors


def test_a_bucket_has_its_keys_from_variables(tmp_path: Path) -> None:
    secret, table = new_secret(), tmp_path / "texts.csv"
    table.write_text("recording,text\na.wav,A word\n")
    url, many = f"s3://maie:{secret}@bucket/prefix", ("--texts", table, "--output", tmp_path)
    read = run("align", url, *many, environment={})
    written = run(*("align", tmp_path, *many, "--clips", "wav", "--clips-to", url), environment={})
    for refused in (read, written):
        assert refused.code == 2
        assert "AWS_*" in refused.errors
        assert secret not in refused.output + refused.errors


def test_a_mirror_with_a_password_is_for_a_variable_or_a_file(tmp_path: Path) -> None:
    secret, file = new_secret(), tmp_path / "mirror"
    url = f"http://maie:{secret}@{NOWHERE}"
    pull = ("models", "pull", "whisper-base", "--dir", tmp_path)
    refused = run(*pull, "--from", url, environment={})
    file.write_text(f"{url}\n")
    tried = [
        run(*pull, environment={"MAIE_MODELS_FROM": url}),
        run(*pull, environment={"MAIE_MODELS_FROM_FILE": str(file)}),
    ]
    assert refused.code == 2
    assert "MAIE_MODELS_FROM_FILE" in refused.errors
    for ended in tried:
        assert ended.code == 3
        assert NOWHERE in ended.errors
    for ended in (refused, *tried):
        assert secret not in ended.output + ended.errors


@pytest.mark.parametrize("address", ["maie:{}@127.0.0.1:1", "https://maie:{}@x:1", "http://{}@x"])
def test_a_gateway_with_a_password_is_no_address(address: str) -> None:
    secret = new_secret()
    ended = run("jobs", "list", "--gateway", address.format(secret), environment={})
    assert ended.code == 2
    assert "**********@" in ended.errors
    assert secret not in ended.output + ended.errors


def test_a_route_with_a_password_is_refused(tmp_path: Path) -> None:
    secret = new_secret()
    options = ("--cluster", "c", "--route", f"nats://maie:{secret}@nats-1:6222")
    ended = run("nats", "config", tmp_path / "nats", *options, environment={})
    assert ended.code == 2
    assert "no user and password" in ended.errors
    assert secret not in ended.output + ended.errors
    assert not (tmp_path / "nats").exists()
