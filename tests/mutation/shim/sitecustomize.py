"""First on the path of every process that a trial starts: there too the module is changed, or
looked at.
"""

import os

if "BATCHPAY_TRIAL" in os.environ:
    import runpy
    from pathlib import Path

    runpy.run_path(str(Path(__file__).parents[1] / "hook.py"))["join"](
        os.environ["BATCHPAY_TRIAL"]
    )
