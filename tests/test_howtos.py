"""docs/howto: every command and every program in it is tried as it stands, in a folder with a
night's orders, beside a sandbox.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import batchpay
from batchpay.sandbox import SandboxServer
from tests import typed
from tests.world import Market, order

ROOT = Path(batchpay.__file__).parent.parent
HOWTO = ROOT / "docs" / "howto"
PAGES = sorted(path.stem for path in HOWTO.glob("*.md"))


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def blocks(page: str, language: str) -> list[str]:
    """A page's code blocks in a language."""
    text = (HOWTO / f"{page}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


WITH_STATE = ("backup", "auditing")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")])
def test_the_commands_of_a_page_do_what_it_says(market: Market, page: str) -> None:
    """One after the other, in one shell that ends at the first that fails; nobody pays twice."""
    if shutil.which("sqlite3") is None and "sqlite3 " in "".join(blocks(page, "sh")):
        pytest.skip("sqlite3 is not on this machine")
    market.orders([order(1), order(2), order(3)])
    job = market.job()
    if page in WITH_STATE:  # as that of `batchpay init` has it
        state = '\n[state]\nurl = "sqlite:///state/batchpay.db"   # the journal\n'
        job.write_text(job.read_text("utf-8") + state, "utf-8")
    if page != "nights":
        assert market.run().returncode == 0
    script = "set -e\n" + "\n".join(blocks(page, "sh"))
    done = typed.line(market, "sh", script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "a bug" not in done.stderr, done.stderr
    assert set(market.money().values()) == {1}
    if page == "archiving":
        assert [path.suffix for path in (market.folder / "archive").iterdir()] == [
            ".csv"
        ]


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    """Both, with a program that is there in the place of ours."""
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not on this machine")
    service, timer = blocks("nights", "ini")
    service = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", service)
    (tmp_path / "batchpay.service").write_text(service)
    (tmp_path / "batchpay.timer").write_text(timer)
    for name in ("batchpay.service", "batchpay.timer"):
        done = subprocess.run(
            [verify, "verify", "--man=no", str(tmp_path / name)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        mine = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
        assert mine == [], done.stderr


def test_the_python_client_does_what_the_page_says(market: Market) -> None:
    (program,) = blocks("sdks", "python")
    program = program.replace("http://127.0.0.1:8787", market.sandbox.url)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and " successful acch_test_" in done.stdout, done.stderr


def test_the_node_client_does_what_the_page_says(market: Market) -> None:
    """Where `make node-check` has installed it."""
    kept = [path / "node_modules" for path in Path(sys.prefix).glob("node-*")]
    if shutil.which("node") is None or not kept:
        pytest.skip("the Node client is not installed: make node-check installs it")
    (program,) = blocks("sdks", "javascript")
    program = program.replace("8787", str(market.sandbox.port))
    done = subprocess.run(
        ["node", "-e", program],
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(kept[0])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and " successful acch_test_" in done.stdout, done.stderr


def test_every_page_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(f"docs/howto/{page}.md" in readme for page in PAGES)
