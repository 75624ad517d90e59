"""SCHEMA: the JSON Schemas that this version goes by, for editors and other programs."""

from __future__ import annotations

from batchpay.job.packaged import data_path

SCHEMAS = ("job", "order", "report")
"""The job file; an order after mapping, where the job names no schema of its own; report.json."""


def schema(name: str) -> str:
    """The text of one of `SCHEMAS`, without its last line feed."""
    return data_path(f"schemas/{name}.schema.json").read_text("utf-8").rstrip("\n")
