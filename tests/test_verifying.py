"""verify: the journal's chain, and every manifest against the files beside it."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import batchpay
from tests.world import Market, order

DOCS = Path(batchpay.__file__).parent.parent / "docs" / "journal.md"


def verified(market: Market, *words: str) -> tuple[int, dict[str, object]]:
    """Exit code and document, had without a key; the words for people have the same code."""
    told = market.run(*words, verb="verify", OMISE_SECRET_KEY="")
    done = market.run(*words, "--json", verb="verify", OMISE_SECRET_KEY="")
    assert told.returncode == done.returncode, (told, done)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def night(market: Market) -> Market:
    """Two batches, the first reported twice, so that an older manifest is kept."""
    market.orders([order(1), order(2, amount="x")])
    market.job()
    market.run("--limit", "0")
    market.run()
    market.orders([order(3)])
    market.run()
    return market


@pytest.mark.fault("I9")
def test_what_nobody_touched_verifies(night: Market) -> None:
    """It says what was looked at: all events, every manifest, every file they name."""
    code, told = verified(night)
    assert (code, told["differences"], told["notes"]) == (0, [], [])
    manifests = list(night.folder.glob("reports/*/manifest*.json"))
    assert sorted(told["manifests"]) == sorted(map(str, manifests)) and len(manifests) > 2  # type: ignore[call-overload]
    named = [json.loads(path.read_text())["reports"] for path in manifests if path.name == "manifest.json"]
    assert told["files"] == sum(map(len, named))
    said = night.run(verb="verify").stdout
    assert "the hash chain verifies" in said and "exit 0" in said


@pytest.mark.fault("I9")
@pytest.mark.parametrize("edit", ["changed", "missing", "manifest", "no manifest", "other head", "cut journal"])
def test_a_difference_is_12_and_named(night: Market, edit: str) -> None:
    """A report that was edited, removed, or made from another history than the journal now tells."""
    first = sorted((night.folder / "reports").iterdir())[0]
    manifest = first / "manifest.json"
    document = json.loads(manifest.read_text())
    if edit == "changed":
        with (first / "results.csv").open("a") as file:
            file.write("one more row\n")
    elif edit == "missing":
        (first / "rejects.csv" if (first / "rejects.csv").exists() else first / "results.csv").unlink()
    elif edit == "manifest":
        manifest.write_text("{}")
    elif edit == "other head":
        manifest.write_text(json.dumps({**document, "journal": {**document["journal"], "digest": "0" * 64}}))
    elif edit == "cut journal":
        manifest.write_text(json.dumps({**document, "journal": {**document["journal"], "seq": 10**6}}))
    else:
        manifest.unlink()
    code, told = verified(night)
    if edit == "no manifest":
        assert code == 0 and first.name in str(told["notes"])
        return
    assert code == 12
    assert str(first) in str(told["differences"])
    assert verified(night, sorted(path.name for path in (night.folder / "reports").iterdir())[1])[0] == 0


@pytest.mark.fault("I9", "D05")
def test_a_damaged_journal_is_74_and_none_is_66(night: Market) -> None:
    """Neither is taken for the other, and nothing is written."""
    assert night.run("2020-01-01-000000000000", verb="verify").returncode == 66
    path = night.folder / "state" / "batchpay.db"
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("UPDATE events SET at_ns = at_ns + 1 WHERE seq = 3")
    done = night.run(verb="verify")
    assert done.returncode == 74 and "event 3" in done.stderr
    for one in (night.folder / "state").iterdir():
        one.unlink()
    assert night.run(verb="verify").returncode == 66
    assert list((night.folder / "state").iterdir()) == []


@pytest.mark.fault("I9")
def test_a_stranger_can_verify_the_chain(night: Market, tmp_path: Path) -> None:
    """The program in docs/journal.md, as it stands there, makes the same head and finds the edit."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(program.splitlines()) <= 24
    script, journal = tmp_path / "chain.py", night.folder / "state" / "batchpay.db"
    script.write_text(program)
    words = [sys.executable, str(script), str(journal)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    _, told = verified(night)
    head = told["journal"]
    assert isinstance(head, dict)
    assert done.stdout.split() == [str(head["events"]), head["digest"]]
    with sqlite3.connect(journal) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("UPDATE events SET at_ns = at_ns + 1 WHERE seq = 2")
    assert "event 2" in subprocess.run(words, capture_output=True, text=True, check=False).stderr
