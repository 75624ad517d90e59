"""`python -m pytest -p tests.mutants.plugin`: the tests run against the mutant that BATCHPAY_MUTANT
names.
"""

from __future__ import annotations

import os

from tests.mutants.laws import MUTANTS


def pytest_configure() -> None:
    """Before any test is imported."""
    MUTANTS[os.environ["BATCHPAY_MUTANT"]].breaks()
