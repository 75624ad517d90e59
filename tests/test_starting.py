"""init, schema, completion: what a person starts with, and what editors and shells ask for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from batchpay.cli import SHELLS
from batchpay.commands.schema import SCHEMAS
from batchpay.job.packaged import data_path
from tests.world import Market


def test_what_init_writes_is_checked_at_once(market: Market) -> None:
    """Two orders are right, the third shows what an error looks like; nothing is overwritten."""
    made = market.program("init", "here")
    assert made.returncode == 0 and "batchpay check here/job.toml" in made.stdout, (
        made.stderr
    )
    checked = market.program("check", "here/job.toml", "--json")
    assert checked.returncode == 10, checked.stderr
    told = json.loads(checked.stdout)
    assert [p["rule"] for p in told["problems"]] == ["too-many-decimals"]
    assert told["files"][0]["valid"]["THB"]["count"] == 2
    again = market.program("init", "here")
    assert again.returncode == 64 and "orders.csv are there already" in again.stderr


def said(market: Market, *words: str, **environ: str) -> str:
    """What the program prints, and nothing beside it."""
    done = market.program(*words, **environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_an_editor_finds_the_schema_by_the_first_line(market: Market) -> None:
    """`#:schema` and a path beside the file; the job is what that schema says."""
    said(market, "init", "here")
    text = (market.folder / "here" / "job.toml").read_text("utf-8")
    first, _ = text.split("\n", 1)
    directive, path = first.split(" ")
    assert directive == "#:schema" and path.startswith("./")
    schema = json.loads((market.folder / "here" / path).read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(tomllib.loads(text))
    assert (market.folder / "here" / path).read_text("utf-8") == said(
        market, "schema", "job"
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_prints_what_the_program_goes_by(market: Market, name: str) -> None:
    """Byte for byte, so that it can be sent to a file."""
    assert (
        said(market, "schema", name)
        == data_path(f"schemas/{name}.schema.json").read_text()
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_a_script(market: Market, shell: str) -> None:
    """Of the very shell, also where that shell is not installed."""
    script = said(market, "completion", shell, PATH="")
    assert f"_BATCHPAY_COMPLETE={shell}_complete" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["batchpay", "se"], {"settle"}),
        (["batchpay", "schema", "re"], {"report"}),
        (["batchpay", "plan", "--pre"], {"--preflight"}),
        (["batchpay", "resolve", "job.toml", "--li"], {"--lift-stop"}),
    ],
)
def test_bash_completes(market: Market, typed: list[str], offered: set[str]) -> None:
    """The script, read by a true bash, which then asks for what may come next."""
    script = market.folder / "completion.bash"
    script.write_text(said(market, "completion", "bash"))
    program = market.folder / "bin" / "batchpay"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m batchpay "$@"\n')
    program.chmod(0o755)
    words = " ".join(f"'{word}'" for word in typed)
    asked = (
        f"source {script}; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1};"
        ' _batchpay_completion batchpay; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    _, how = market.command()
    how["env"]["PATH"] = f"{program.parent}:{how['env'].get('PATH', '/usr/bin:/bin')}"
    done = subprocess.run(
        ["bash", "-c", asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        **how,
    )
    assert done.returncode == 0, done.stderr
    assert offered <= set(done.stdout.split()), done.stdout


def test_without_words_nothing_is_completed(market: Market) -> None:
    """Without words and without a shell that asks, it is a usage error, as before."""
    done = market.program()
    assert done.returncode == 64 and "Commands:" in done.stderr


def test_no_command_loads_the_program_of_its_http_client() -> None:
    """httpx brings one for terminals, with all that it is drawn with; it does without, too."""
    code = (
        "import sys; from batchpay.cli import main\ntry: main(['status', 'none.toml'])\nfinally:"
        " print('httpx' in sys.modules, 'pygments' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (78, "True False\n"), done.stderr


@pytest.mark.fault("F01", "F02", "F03")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_while_the_program_is_loaded_is_an_interruption(
    tmp_path: Path, name: str
) -> None:
    """It comes while the first library is imported: nothing was begun, and the same command goes
    on.
    """
    library = (
        f"import os, signal, time\nos.kill(os.getpid(), signal.{name})\ntime.sleep(9)\n"
    )
    (tmp_path / "click.py").write_text(library, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "batchpay", "run", "job.toml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (75, "")
    assert done.stderr == "batchpay: interrupted; run the same command again\n"
