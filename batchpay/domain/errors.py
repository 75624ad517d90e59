"""Every reason why batchpay cannot go on, with its exit code.

    BatchpayError
      DoesNotAddUp     12   a stop, an equation that does not close, an audit difference
      Usage            64   the command line asks for something that makes no sense
      FileRefused      65   the input file as a whole cannot be trusted; nothing of it is sent
      InputMissing     66   there is no input file
      GatewaySilent    69   the gateway gave not one answer
      Bug              70   batchpay broke one of its own rules
        Taken          70   an intent for this send, or another open attempt of its order, exists
          already
      CannotWrite      73   the disk is full or a file cannot be created
      InputOutput      74   a read failed, or the journal is damaged
      TryLater         75   locked, interrupted or still being written: run the same command again
      NotAllowed       77   the key is refused, or an approval is missing
      Misconfigured    78   the job file, the environment or the journal is wrong

Trouble in one row of the accountant's file is never one of these: it is a `model.Problem`, a value
that travels to the report. Numbers are those of sysexits.h where it has one (README.md, "Exit
codes").
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from batchpay.domain.text import line

if TYPE_CHECKING:
    from batchpay.messages.message import Message

# What the machine has no more of at the moment: later the same works.
NO_MORE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})


class BatchpayError(Exception):
    """Cannot go on: the message says the place, what was found, what was expected and what to do.

    Each argument is one line of it. Whatever a file, a name or the gateway wrote into it is made
    visible and masked here, so that a message may be printed, kept and reported as it is.
    """

    exit_code = 70

    def __init__(self, *lines: str | Message) -> None:
        from batchpay.messages.message import read  # help needs no catalogue

        self.said = tuple(map(read, lines))
        super().__init__("\n".join(line(str(one)) for one in lines))


class DoesNotAddUp(BatchpayError):
    """Money or books disagree; a person must look before anything is sent again."""

    exit_code = 12


class Usage(BatchpayError):
    """The command line asks for something that makes no sense."""

    exit_code = 64


class FileRefused(BatchpayError):
    """The input file as a whole is refused; nothing of it is sent."""

    exit_code = 65


class InputMissing(BatchpayError):
    """There is no input file."""

    exit_code = 66


class GatewaySilent(BatchpayError):
    """The gateway gave not one answer, or not the one that was needed."""

    exit_code = 69

    def __init__(self, *lines: str | Message) -> None:
        from batchpay.messages import nights

        super().__init__(*lines[:-1], f"{lines[-1]}; {nights.INCIDENTS()}")


class Bug(BatchpayError):
    """batchpay broke one of its own rules; please report it."""

    exit_code = 70


class Taken(Bug):
    """An intent for this send, or another open attempt of its order, is already in the journal."""


class CannotWrite(BatchpayError):
    """The disk is full or a file cannot be created."""

    exit_code = 73


class InputOutput(BatchpayError):
    """A read failed, or the journal is damaged."""

    exit_code = 74


class TryLater(BatchpayError):
    """Locked, interrupted or still being written: run the same command again."""

    exit_code = 75


class NotAllowed(BatchpayError):
    """The key is refused, or an approval is missing."""

    exit_code = 77


class Misconfigured(BatchpayError):
    """The job file, the environment or the journal is wrong."""

    exit_code = 78
