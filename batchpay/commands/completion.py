"""COMPLETION: the script by which a shell completes batchpay's words."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class


def completion(cli: click.Command, shell: str, variable: str) -> str:
    """The script for bash, zsh or fish. `variable`: of the environment, by which it asks `cli`."""
    kind = get_completion_class(shell)
    assert kind is not None
    # the script alone: bash's own class would first start a bash to ask for its version
    return ShellComplete.source(kind(cli, {}, "batchpay", variable))
