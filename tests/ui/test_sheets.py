"""report.xlsx and rejects.xlsx in LibreOffice: they open, and its arithmetic agrees with ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from batchpay.reports import write_reports
from batchpay.reports.words import LANGUAGES
from tests.nights_told import night

if os.environ.get("BATCHPAY_UI") != "1":
    pytest.skip(
        "make test-ui opens the workbooks in LibreOffice", allow_module_level=True
    )


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of its own, so that nobody's LibreOffice is in the way."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice (soffice) is not on this machine")
    return tmp_path_factory.mktemp("office")


def converted(profile: Path, path: Path, form: str, folder: Path) -> Path:
    """A file as LibreOffice writes it."""
    done = subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--convert-to",
            form,
            "--outdir",
            str(folder),
            str(path),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Error" not in done.stdout + done.stderr
    return folder / f"{path.stem}.{form}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_libreoffice_comes_to_the_same_sums(
    profile: Path, tmp_path: Path, language: str
) -> None:
    """Of formulas whose results were taken away before: every check of the summary holds."""
    write_reports(tmp_path, night(language=language))
    ours = cells(tmp_path / "report.xlsx", data_only=True)
    bare = tmp_path / "bare.xlsx"
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    book.save(bare)  # openpyxl keeps formulas, and not what they came to
    theirs = cells(converted(profile, bare, "xlsx", tmp_path / "out"), data_only=True)
    formulas = [
        place for place, value in cells(bare).items() if str(value).startswith("=")
    ]
    assert len(formulas) > 30
    for place in formulas:
        assert theirs[place] == pytest.approx(ours[place]), place


def cells(path: Path, *, data_only: bool = False) -> dict[tuple[str, str], Any]:
    """Every cell that holds something, by sheet and name."""
    book = openpyxl.load_workbook(path, data_only=data_only)
    found = {}
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    found[sheet.title, cell.coordinate] = cell.value
    return found


def test_both_workbooks_become_pages(profile: Path, tmp_path: Path) -> None:
    """As a person who prints them has them."""
    write_reports(tmp_path, night())
    for name in ("report.xlsx", "rejects.xlsx"):
        made = converted(profile, tmp_path / name, "pdf", tmp_path / "out")
        assert made.read_bytes().startswith(b"%PDF-")
