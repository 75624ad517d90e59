"""The command line: translate, build, call, say it, exit. Nothing is decided here."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchpay import __version__
from batchpay.errors import BatchpayError, Usage

if TYPE_CHECKING:
    from batchpay.job import Job

JOB = click.argument("job_file", metavar="JOB", type=click.Path(path_type=Path))
INPUT = click.option("--input", "input_file", metavar="FILE", help="Read this file instead of the job's own.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="batchpay")
def cli() -> None:
    """A file of orders in, every order charged once, a report that adds up.

    Results go to stdout, talk to stderr. Exit codes: 0 all well; 10 some rows need the accountant or the payer; 11 a
    later run is needed; 12 something does not add up, a person must look; 64-78 as in sysexits.h.
    """


@cli.command()
@JOB
@INPUT
@JSON
def check(job_file: Path, input_file: str | None, as_json: bool) -> None:
    """Read, map and validate every row; send nothing."""
    from batchpay import checking, saying

    job = _job(job_file, input_file)
    out = saying.JsonProblems() if as_json else saying.TextProblems()
    _leave(out.end(checking.check(job, out.problem)))


@cli.command()
@JOB
@INPUT
@click.option("--out", "out_file", metavar="FILE", type=click.Path(path_type=Path), help="Write the plan to a file.")
@JSON
def plan(job_file: Path, input_file: str | None, out_file: Path | None, as_json: bool) -> None:
    """Show what `run` would send: count and sum per currency and recipient; send nothing, write no state."""
    from batchpay import checking, saying

    made = checking.plan(_job(job_file, input_file))
    if out_file is not None:
        saying.write_file(out_file, made)
    saying.plan(made, as_json=as_json)
    _leave(made["exit_code"])


def _key_and_job(job_file: Path, input_file: str | None = None) -> tuple[Job, Any]:
    from batchpay.config import secret_key

    job = _job(job_file, input_file)
    return job, secret_key(os.environ, job.gateway)


WAIT = click.option("--wait", is_flag=True, help="Wait for another run of this job instead of ending with 75.")
GRACE = click.option("--grace", type=click.FloatRange(min=0), metavar="S", help="When interrupted, wait at most S "
                     "seconds for requests on their way; the rest stays in doubt.")  # fmt: skip
SUMMARY = click.option("--summary", is_flag=True, help="Print the summary even without a terminal.")


@cli.command()
@JOB
@INPUT
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Send at most N orders.")
@click.option("--canary", type=click.IntRange(min=1), metavar="N", help="Go on only if the first N orders succeed.")
@click.option("--yes", is_flag=True, help="These are new orders although payers and amounts repeat a recent file.")
@click.option("--adopt", is_flag=True, help="The journal is empty: take over this job's charges from the gateway.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="How far back to look; default the last listing.")
@WAIT
@GRACE
@SUMMARY
@JSON
def run(job_file: Path, input_file: str | None, summary: bool, as_json: bool, **flags: Any) -> None:
    """Settle what is open, charge every new valid order once, write the reports. Run again to resume."""
    from batchpay import pipeline, saying

    job, key = _key_and_job(job_file, input_file)
    with saying.talk(job.name) as talk:
        result = pipeline.run(job, key, _options(flags), talk)
    saying.result(job, result, as_json=as_json, loud=summary)
    _leave(result.exit_code)


@cli.command()
@JOB
@WAIT
@GRACE
@SUMMARY
@JSON
def settle(job_file: Path, summary: bool, as_json: bool, **flags: Any) -> None:
    """Only ask the gateway about pending and in-doubt charges, and rewrite the reports."""
    from batchpay import pipeline, saying

    job, key = _key_and_job(job_file)
    with saying.talk(job.name) as talk:
        result = pipeline.settle(job, key, _options(flags), talk)
    saying.result(job, result, as_json=as_json, loud=summary)
    _leave(result.exit_code)


@cli.command()
@JOB
@JSON
def status(job_file: Path, as_json: bool) -> None:
    """Show every batch and its totals, from the journal alone."""
    from batchpay import pipeline, saying

    job = _job(job_file, None)
    _leave(saying.status(job, pipeline.status(job), as_json=as_json))


@cli.command()
@JOB
@click.argument("batch", required=False)
@JSON
def report(job_file: Path, batch: str | None, as_json: bool) -> None:
    """Write the reports of one batch, or of all, again from the journal alone."""
    from batchpay import pipeline, saying

    job = _job(job_file, None)
    result = pipeline.report(job, batch)
    saying.result(job, result, as_json=as_json, loud=True)
    _leave(result.exit_code)


@cli.command()
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), help="Where the demo's files go.")
@JSON
def demo(directory: Path | None, as_json: bool) -> None:
    """The main job, whole, on the samples against a sandbox it starts itself: no account, no network."""
    from batchpay import demonstration

    _leave(demonstration.demo(directory, as_json=as_json))


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0: any free port.")
@click.option("--script", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Faults to make.")
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="Keep the charges in this file.")
@click.option("--idempotency", type=click.Choice(["off", "on"]), default="off", show_default=True,
              help="Honour the Idempotency-Key header.")  # fmt: skip
def sandbox(port: int, script: Path | None, ledger: Path | None, idempotency: str) -> None:
    """Serve a faithful imitation of the gateway on 127.0.0.1 until stopped."""
    from batchpay import demonstration

    demonstration.serve_sandbox(port, script, ledger, idempotency)


def main(argv: list[str] | None = None) -> None:
    """Entry point: every end is an exit code and at most a sentence, never a traceback."""
    _open_streams()
    try:
        _run(argv)
    finally:
        _flush_streams()


def _open_streams() -> None:
    """Where a stream is closed, open nothing's: the next file opened would be taken for it, and written into."""
    for handle, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(handle)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), handle)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8", closefd=False))


def _flush_streams() -> None:
    """What nobody takes is dropped: the exit code speaks about the orders, not about who reads."""
    for handle, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), handle)


def _run(argv: list[str] | None) -> None:
    try:
        cli.main(args=argv, prog_name="batchpay", standalone_mode=False)
    except click.exceptions.Abort:
        _end(75, "interrupted")
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "batchpay"
        _end(Usage.exit_code, f"{error.format_message()} (see {where} --help)")
    except BatchpayError as error:
        _end(error.exit_code, str(error))
    except KeyboardInterrupt:
        _end(75, "interrupted; run the same command again")
    except BrokenPipeError:
        _end(0, "")
    except MemoryError:
        _end(75, "out of memory; run the same command again on a larger machine, nothing is lost")
    except Exception as error:
        if short := _short_of(error):
            _end(75, f"{short}; raise the limit (ulimit) or end other programs and run again, nothing is lost")
        if os.environ.get("BATCHPAY_DEBUG"):
            raise
        kind = type(error).__name__
        _end(70, f"a bug in batchpay: {kind}: {error}. Nothing that was sent is lost: it is in the journal. "
                 "Set BATCHPAY_DEBUG=1 to see where, and please report it")  # fmt: skip
    _end(0, "")


def _short_of(error: Exception) -> str:
    """What the machine has too little of, when that is the reason."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return str(error.strerror)
    return "no more threads" if isinstance(error, RuntimeError) and "start new thread" in str(error) else ""


def _job(job_file: Path, input_file: str | None) -> Job:
    from batchpay.config import load_job

    return load_job(job_file, input_override=input_file)


def _options(flags: dict[str, Any]) -> Any:
    from datetime import UTC

    from batchpay.pipeline import Options

    given = {name: value for name, value in flags.items() if value is not None}
    if "grace" in given:
        given["grace_s"] = given.pop("grace")
    if "since" in given:
        given["since"] = given["since"].replace(tzinfo=UTC)
    return Options(**given)


def _leave(code: int) -> None:
    raise SystemExit(code)


def _end(code: int, sentence: str) -> None:
    """Say it and go; a closed pipe changes nothing."""
    if sentence:
        with suppress(OSError):
            click.echo(f"batchpay: {sentence}", err=True)
    raise SystemExit(code)
