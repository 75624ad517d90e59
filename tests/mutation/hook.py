"""A process of a trial, and every process that it starts: one module is changed in it, or all are
looked at.
"""

from __future__ import annotations

import atexit
import marshal
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

SHIM = Path(__file__).parent / "shim"
# where a process looks first: a test may start it without our PYTHONPATH
FIRST = (
    str(SHIM),
    str(SHIM.parents[2]),
)


class _Loader(SourceFileLoader):
    """The module's own file, other code; nothing is cached."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Finder(MetaPathFinder):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(
            fullname, self._path, loader=_Loader(fullname, self._path, self._code)
        )


def change(name: str, path: str, code: CodeType) -> None:
    """From now on the module of this name runs this code; it must not have been imported yet."""
    assert name not in sys.modules, name
    sys.meta_path.insert(0, _Finder(name, path, code))


def look(folder: str, files: Sequence[str], test: str) -> Any:
    """Begin to record which lines of these files run; kept in the folder when the process ends."""
    import coverage  # a tenth of a second: not for the processes of a changed module

    recorder = coverage.Coverage(
        data_file=f"{folder}/{uuid.uuid4().hex}",
        include=list(files),
        config_file=False,
        context=test or None,
    )
    # a test may read what a process says
    recorder.set_option("run:disable_warnings", ["no-data-collected"])
    recorder.start()
    return recorder


def hand_down(orders: Path) -> None:
    """Every process started from here on joins the trial that the file tells of."""
    begin = subprocess.Popen.__init__

    def begun(self: Any, *given: Any, env: Any = None, **named: Any) -> None:
        environ = dict(os.environ if env is None else env)
        before = environ.get("PYTHONPATH", "").split(os.pathsep)
        environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, dict.fromkeys((*FIRST, *before)))
        )
        begin(self, *given, env={**environ, "BATCHPAY_TRIAL": str(orders)}, **named)

    subprocess.Popen.__init__ = begun  # type: ignore[method-assign]


def write(orders: Path, *told: Any) -> None:
    """What `join` is to do: ("change", name, path, code) or ("look", folder, files, test)."""
    orders.write_bytes(marshal.dumps(told))


def join(orders: str) -> None:
    """What the shim does first of all."""
    what, *told = marshal.loads(Path(orders).read_bytes())
    if what == "change":
        change(*told)
    else:
        recorder = look(*told)
        atexit.register(lambda: (recorder.stop(), recorder.save()))
    hand_down(Path(orders))
