"""`python -m tests.cases [NAME ...]`: write the expectations of all cases, or of some, anew."""

from __future__ import annotations

import sys

from tests.cases import cases, outcome_of

wanted = set(sys.argv[1:])
unknown = wanted - {case.name for case in cases()}
if unknown:
    sys.exit(f"no such case: {', '.join(sorted(unknown))}")
for case in cases():
    if not wanted or case.name in wanted:
        (case / "expected").mkdir(exist_ok=True)
        for name, text in outcome_of(case).items():
            (case / "expected" / name).write_text(text, "utf-8", newline="")
        print(f"{case.name}: written; read it before you commit it")
