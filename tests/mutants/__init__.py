"""The tests of the tests: each law broken on purpose, and the test that must notice (docs/laws.md).

A mutant replaces a pure function or a port inside the test process; the product has no hook for it.

    make mutants                          the table: law, what is broken, which test caught it
    BATCHPAY_MUTANT="5xx is a refusal" python -m pytest -p tests.mutants.plugin
      tests/test_lifecycle.py
"""
