"""A faithful imitation of the gateway on 127.0.0.1, to rehearse whole nights without an account or
a network.

`SandboxServer` runs it in a thread of this process, `serve` in the foreground, `python -m
batchpay.sandbox` in a process of its own. Facts stand in docs/gateway.md; what is open there is
decided here and said where it is decided. Ready-made ids are told in `names`, the rules of a script
in `faults`, its file in `script`.
"""

from batchpay.domain.errors import Misconfigured

try:
    from batchpay.sandbox.faults import ACTIONS, Rule
    from batchpay.sandbox.log import Entry
    from batchpay.sandbox.script import Script, read_script
    from batchpay.sandbox.server import SandboxServer, serve
    from batchpay.sandbox.throttle import Rate
except ImportError as error:
    if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
        raise
    raise Misconfigured(
        "the sandbox needs two more libraries: pip install 'batchpay[sandbox]'"
    ) from error

__all__ = [
    "ACTIONS",
    "Entry",
    "Rate",
    "Rule",
    "SandboxServer",
    "Script",
    "read_script",
    "serve",
]
