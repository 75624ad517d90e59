"""report.html and index.html in Chromium: nothing to complain of, for nobody shut out, driven as a
person drives it, and on paper.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchpay.messages import steps
from batchpay.reports import write_reports
from batchpay.reports.words import LANGUAGES
from tests.nights_told import CELLS, CHARGED, DECLINED, LATE, STORY, night
from tests.test_index import EN, TOLD
from tests.test_index import read as write_nights
from tests.ui.chromium import Chromium, browser, program

HERE = Path(__file__).parent
ASKED = os.environ.get("BATCHPAY_UI") == "1"
MANY = 1_203
A4 = (595, 842)  # points

if not ASKED:
    pytest.skip("make test-ui opens the reports in Chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """One browser for all tests of this file."""
    name = program()
    if name is None:
        pytest.skip("chromium is not on this machine")
    with browser(name) as one:
        yield one


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The rules of accessibility, installed once in the pinned version."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    pinned = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    kept = Path(sys.prefix) / f"ui-{pinned}"
    if not kept.exists():
        fresh = tmp_path_factory.mktemp("ui")
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, fresh / name)
        npm = [
            "npm",
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        subprocess.run(npm, cwd=fresh, check=True, timeout=180)
        shutil.move(fresh, kept)
    return (kept / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def page(folder: Path, language: str = "en", rows: int = 0) -> Path:
    """A page of the usual night, or of one with so many rows."""
    if rows:
        kinds = itertools.cycle((CHARGED, CHARGED, DECLINED))
        found = [
            replace(
                next(kinds),
                row=at + 2,
                order_id=f"N{at:05}",
                amount=at * 7 % 1000 * 100,
            )
            for at in range(rows)
        ]
        write_reports(folder, night(found, [["", "", ""]] * rows))
    else:
        stories = {"stories": lambda ids: dict.fromkeys(ids, STORY)}
        write_reports(folder, night(language=language, **stories))
    return folder / "report.html"


def in_colours(chromium: Chromium, scheme: str) -> None:
    chromium.ask(
        "Emulation.setEmulatedMedia",
        features=[{"name": "prefers-color-scheme", "value": scheme}],
    )


def of_width(chromium: Chromium, width: int) -> None:
    chromium.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_shut_out(
    chromium: Chromium, axe: str, tmp_path: Path, language: str, scheme: str
) -> None:
    """axe-core finds nothing, contrast and names among all else; the page complains of nothing."""
    in_colours(chromium, scheme)
    of_width(chromium, 1200)
    chromium.open(page(tmp_path, language))
    assert chromium.said == []
    chromium.run(
        "document.querySelectorAll('.story').forEach((one) => one.open = true)"
    )
    assert _violations(chromium, axe) == []
    of_width(chromium, 360)  # where wide tables are moved
    assert _violations(chromium, axe) == []
    write_nights(tmp_path, TOLD, replace(EN, language=language))
    chromium.open(tmp_path / "index.html")
    assert chromium.said == []
    assert _violations(chromium, axe) == []
    of_width(chromium, 1200)
    assert _violations(chromium, axe) == []


def _violations(chromium: Chromium, axe: str) -> list[Any]:
    chromium.run(f"{axe};1")
    told = chromium.run(
        "axe.run(document).then((found) => JSON.stringify(found.violations.map((one) =>"
        " [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200)])))"
    )
    violations: list[Any] = json.loads(told)
    return violations


def test_rows_are_searched_filtered_sorted_and_turned(
    chromium: Chromium, tmp_path: Path
) -> None:
    """As a person does it: what is found is told, and the parts come back when all is cleared."""
    in_colours(chromium, "light")
    chromium.open(page(tmp_path, rows=MANY))
    assert told(chromium) == "1,203 of 1,203 rows"
    assert chromium.run("document.getElementById('parts').hidden") is False
    typed(chromium, "n00012")
    assert shown(chromium) == ["N00012"] and told(chromium) == "1 of 1,203 rows"
    typed(chromium, "")
    chosen(chromium, "outcome", "declined")
    assert told(chromium) == "401 of 1,203 rows" and len(shown(chromium)) == 200
    chosen(chromium, "party", "payer")
    assert told(chromium) == "401 of 1,203 rows"
    chromium.run("document.getElementById('next').click()")
    assert shown(chromium)[0] == "N00602"
    chosen(chromium, "outcome", "")
    chosen(chromium, "party", "")
    assert chromium.run("document.getElementById('parts').hidden") is False
    by(chromium, "amount")
    assert shown(chromium)[:2] == ["N00000", "N01000"]
    by(chromium, "amount")
    assert shown(chromium)[0] == "N00857"  # 857 * 7 leaves 999
    sorted_by = "document.querySelector('#found th[aria-sort]')"
    assert chromium.run(f"{sorted_by}.getAttribute('aria-sort')") == "descending"
    assert chromium.said == []


def test_a_link_opens_the_story_of_its_order(
    chromium: Chromium, tmp_path: Path
) -> None:
    """From a row that was found, too."""
    chromium.open(page(tmp_path))
    is_open = "document.getElementById('order-1').closest('details').open"
    assert chromium.run(is_open) is False
    typed(chromium, DECLINED.order_id)
    chromium.run("document.querySelector('#found tbody a').click()")
    chromium.run("new Promise((done) => setTimeout(done, 100))")
    assert chromium.run(is_open) is True


def told(chromium: Chromium) -> str:
    text: str = chromium.run("document.getElementById('shown').textContent")
    return text


def shown(chromium: Chromium) -> list[str]:
    """The orders of the table of what was found."""
    cells = "Array.from(document.querySelectorAll('#found tbody tr'))"
    orders: list[str] = chromium.run(
        f"{cells}.map((row) => row.cells[1].textContent.trim())"
    )
    return orders


def typed(chromium: Chromium, text: str) -> None:
    chromium.run(
        f"(() => {{ const field = document.getElementById('search'); field.value = '{text}';"
        " field.dispatchEvent(new Event('input')); })()"
    )
    chromium.run("new Promise((done) => setTimeout(done, 300))")


def chosen(chromium: Chromium, name: str, value: str) -> None:
    chromium.run(
        f"(() => {{ const field = document.getElementById('{name}'); field.value = '{value}';"
        " field.dispatchEvent(new Event('change')); })()"
    )


def by(chromium: Chromium, name: str) -> None:
    chromium.run(f"document.querySelector('#rows th[data-name={name}] button').click()")


def test_it_fits_a_telephone(chromium: Chromium, tmp_path: Path) -> None:
    """Wide tables move by themselves; the page does not."""
    of_width(chromium, 360)
    chromium.open(page(tmp_path))
    assert chromium.run("document.scrollingElement.scrollWidth") <= 360
    typed_late = steps.PAID_OTHERWISE(charge=f"chrg_test_{'5' * 19}", order="A" * 40)
    failed = replace(LATE, transfer_status="failed", reasons=(typed_late,))
    write_reports(tmp_path, night([failed], CELLS[:1]))
    chromium.open(tmp_path / "report.html")
    assert chromium.run("document.scrollingElement.scrollWidth") <= 360
    of_width(chromium, 1200)


def test_all_nights_fit_a_small_screen(chromium: Chromium, tmp_path: Path) -> None:
    """No column of the list of nights is cut off at 1000 pixels."""
    write_nights(tmp_path)
    of_width(chromium, 1000)
    chromium.open(tmp_path / "index.html")
    list_of = "document.querySelector('.nights')"
    assert chromium.run(f"{list_of}.scrollWidth <= {list_of}.clientWidth")
    of_width(chromium, 1200)


def test_it_is_read_without_script(chromium: Chromium, tmp_path: Path) -> None:
    """What needs one is not there; every row is."""
    chromium.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.open(page(tmp_path))
        chromium.ask("DOM.enable")
        root = chromium.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        rows = chromium.ask(
            "DOM.querySelectorAll", nodeId=root, selector="#parts tbody tr"
        )
        assert len(rows["nodeIds"]) == 8
        hidden = chromium.ask(
            "DOM.querySelectorAll", nodeId=root, selector="#controls[hidden]"
        )
        assert len(hidden["nodeIds"]) == 1
    finally:
        chromium.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_it_prints_on_a4_without_the_list_of_all_rows(
    chromium: Chromium, tmp_path: Path
) -> None:
    """However many there are."""
    chromium.open(page(tmp_path, rows=MANY))
    paper = chromium.pdf()
    boxes = {
        tuple(map(round, map(float, box.split())))
        for box in re.findall(rb"/MediaBox \[0 0 ([0-9. ]+)\]", paper)
    }
    assert boxes == {A4}
    # of all rows there would be 60 more
    assert len(re.findall(rb"/Type /Page\b", paper)) < 30
