"""REPORT: findings become files, each written whole or not at all, the same bytes for the same
journal.

    files       temporary name, fsync, rename
    table       the columns of results (docs/reports.md), the same for csv and parquet
    results     results.csv, results.parquet
    rejects     the rows somebody must correct, in the input's own form
    summary     report.json
    workbook    report.xlsx, for accountants: cover, sheets
    page        report.html, for everybody: pictures, page.css, page.js, report.html.jinja
    index       index.html and latest, over all nights
    manifest    manifest.json: what everything was made from

`WRITERS` is the list of forms, results and the page apart; rejects and the manifest are always
written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from batchpay.reports.files import Directory
from batchpay.reports.index import TEMPLATE as INDEX
from batchpay.reports.manifest import write_manifest
from batchpay.reports.page import TEMPLATE, load_pages, write_page
from batchpay.reports.pivots import load_tables
from batchpay.reports.rejects import write_rejects
from batchpay.reports.results import SINKS, write_results
from batchpay.reports.sheets import load_workbooks
from batchpay.reports.summary import write_summary
from batchpay.reports.table import Inputs
from batchpay.reports.workbook import write_workbook

WRITERS: dict[str, Callable[[Directory, Inputs], None]] = {
    "json": write_summary,
    "xlsx": write_workbook,
}
PAGE = "html"
NAMES = {
    "csv": "results.csv",
    "parquet": "results.parquet",
    "json": "report.json",
    "xlsx": "report.xlsx",
    "html": "report.html",
}


def load(formats: Collection[str], language: str) -> None:
    """Everything that reports of these forms, rejects and the index are written with, into memory:
    a run whose program is replaced meanwhile ends with the one that it began with.
    """
    templates = [INDEX]
    # to compile the one of a report takes a quarter of a second
    if PAGE in formats:
        templates.append(TEMPLATE)
    load_pages(language, templates)
    load_workbooks()
    if {"xlsx", PAGE} & set(formats):
        load_tables()


def write_reports(path: Path, inputs: Inputs, mode: int = 0o600) -> tuple[Path, ...]:
    """Every report of a batch into its folder, with files of this mode.

    Raises CannotWrite; a file is there whole or as it was.
    """
    directory = Directory(path, mode)
    for form, name in NAMES.items():
        if form not in inputs.formats:
            # of an earlier writing: it would show what is not so any more
            directory.remove(name)
    results = [form for form in SINKS if form in inputs.formats]
    if results:
        write_results(directory, inputs, results)
    for form, write in WRITERS.items():
        if form in inputs.formats:
            write(directory, inputs)
    write_rejects(directory, inputs)
    if PAGE in inputs.formats:
        write_page(directory, inputs)  # it names the others
    write_manifest(directory, inputs)
    return tuple(directory.written)


__all__ = ["WRITERS", "Inputs", "load", "write_reports"]
