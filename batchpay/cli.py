"""The command line: translate, build, call, say it, exit. Nothing is decided here."""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchpay import __version__
from batchpay.commands.schema import SCHEMAS
from batchpay.domain.errors import BatchpayError, Usage
from batchpay.domain.oserrors import translated
from batchpay.domain.text import json_text, line
from batchpay.terminal import helping, streams
from batchpay.terminal.flags import Orders, Reason, Seconds, Words

if TYPE_CHECKING:
    from batchpay.api import Job, Options, SecretKey

JOB = click.argument(
    "job_file", metavar="JOB", type=click.Path(readable=False, path_type=Path)
)
INPUT = click.option(
    "--input",
    "input_file",
    metavar="FILE",
    help="Read this file instead of the job's own.",
)
WHY = click.option(
    "--reason",
    required=True,
    type=Reason(),
    metavar="TEXT",
    help="Why; the journal keeps it.",
)
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON document."
)


SHELLS = ("bash", "zsh", "fish")
# set by the scripts: click answers them, whatever the words are
COMPLETING = "_BATCHPAY_COMPLETE"


LATER = {
    "approve": 'approvals come with a later version; a job says approval = "none"',
    "worker": "PostgreSQL, and workers that share it, come with a later version",
}


class Commands(click.Group):
    """What is there, and a sentence for what a later version will have."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Fails (64) for what is not there yet."""
        if cmd_name in LATER:
            ctx.fail(LATER[cmd_name])
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="batchpay")
def cli() -> None:
    """A file of orders in, every order charged once, a report that adds up.

    Results go to stdout, talk to stderr. Exit codes: 0 all well; 10 some rows need the accountant
    or the payer; 11 a later run is needed; 12 something does not add up, a person must look; 64-78
    as in sysexits.h.
    """


@cli.command()
@click.argument(
    "directory",
    required=False,
    default=Path(),
    type=click.Path(file_okay=False, path_type=Path),
)
@click.option(
    "--from",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Propose a job for this file of orders: each guess with its evidence, to be confirmed.",
)
@click.option("--sheet", metavar="NAME", help="With --from: the sheet of a workbook.")
@JSON
def init(
    directory: Path, source: Path | None, sheet: str | None, as_json: bool
) -> None:
    """Write a job, a schema and orders to start from.

    Overwrites nothing.
    """
    from batchpay.terminal import init as screen

    if source is not None:
        from batchpay.commands.proposing import propose

        screen.proposed(propose(directory, source, sheet), as_json=as_json)
        return
    if sheet is not None:
        raise Usage("--sheet is of the file that --from names; give both")
    from batchpay.commands import init as verb

    screen.started(verb.start(directory), as_json=as_json)


LANG = click.option(
    "--lang",
    type=click.Choice(("en", "ja", "th")),
    help="Language of the reports that people open, and of what is said; else the job's own.",
)


@cli.command()
@click.argument("code", required=False, default="")
@LANG
@JSON
def explain(code: str, lang: str | None, as_json: bool) -> None:
    """Say what a code means, with an example and the remedy.

    CODE is a rule of a row such as number-format, an exit code, or any other code of a message;
    without one, all are listed.
    """
    from batchpay.commands import explain as verb
    from batchpay.terminal.speech import Speech

    streams.speak(lang or streams.language())
    speech = Speech(streams.language())
    found = verb.explained(code, speech.sentences, speech.explained)
    if as_json:
        streams.write_json({"messages": found})
        return
    for one in verb.lines_of(found, speech.say, whole=bool(code)):
        streams.write(one)


@cli.command()
@JOB
@INPUT
@click.option(
    "--format",
    "form",
    type=click.Choice(["groups", "lines", "csv", "github"]),
    help=(
        "How problems are told: groups (a table, the default on a terminal), lines (the default"
        " elsewhere), csv, github (annotations)."
    ),
)
@click.option(
    "--out",
    "out_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write an acknowledgement for the sender: counts and sums of each file, as JSON.",
)
@click.option(
    "--force",
    is_flag=True,
    help="With --out: overwrite that file, unless the job lives on it.",
)
@LANG
@JSON
def check(
    job_file: Path,
    input_file: str | None,
    form: str | None,
    out_file: Path | None,
    force: bool,
    lang: str | None,
    as_json: bool,
) -> None:
    """Read, map and validate every row; send nothing."""
    from batchpay import api
    from batchpay.commands import writing
    from batchpay.commands.check import acknowledged
    from batchpay.terminal import check as screen
    from batchpay.terminal.speech import Speech

    if form and as_json:
        raise Usage("--format and --json are two forms of the same; give one of them")
    job = _in_language(_job(job_file, input_file), lang)
    if out_file is not None:
        writing.refuse_what_a_job_lives_on("--out", out_file, job, os.environ)
        writing.refuse_overwriting("--out", out_file, force=force)
    folder = Path(job.input.pattern).parent
    speech = Speech(job.report.language)
    out = screen.form_of(form or "", folder, speech, as_json=as_json)
    checked = api.check(job, out.problem)
    if out_file is not None:
        told = json_text(streams.named(acknowledged(job, checked)))
        writing.write_whole(out_file, f"{told}\n".encode(), force=force)
    _leave(out.end(checked))


@cli.command()
@JOB
@INPUT
@click.option(
    "--out",
    "out_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the plan to a file.",
)
@click.option(
    "--force",
    is_flag=True,
    help="With --out: overwrite that file, unless the job lives on it.",
)
@click.option(
    "--preflight",
    is_flag=True,
    help="Ask the gateway whether each recipient can be paid; needs the key.",
)
@LANG
@JSON
def plan(
    job_file: Path,
    input_file: str | None,
    out_file: Path | None,
    force: bool,
    preflight: bool,
    lang: str | None,
    as_json: bool,
) -> None:
    """Show what `run` would send, and send nothing.

    Count and sum per currency and recipient, warnings, and a hash over all of it; writes no state.
    """
    from batchpay import api
    from batchpay.commands import writing
    from batchpay.terminal import plan as screen

    job = _in_language(_job(job_file, input_file), lang)
    if out_file is not None:
        writing.refuse_what_a_job_lives_on("--out", out_file, job, os.environ)
        writing.refuse_overwriting("--out", out_file, force=force)
    if preflight:
        made = api.plan(job, api.asking(job, api.secret_key(job)))
    else:
        made = api.plan(job)
    if out_file is not None:
        told = json_text(streams.named(made.document()))
        writing.write_whole(out_file, f"{told}\n".encode(), force=force)
    screen.plan(job, made.document(), as_json=as_json)
    _leave(made.exit_code)


WAIT = click.option(
    "--wait",
    is_flag=True,
    help="Wait for another run of this job instead of ending with 75.",
)
GRACE = click.option(
    "--grace",
    type=Seconds(),
    metavar="S",
    help=(
        "When interrupted, wait at most S seconds for requests on their way; the rest stays in"
        " doubt."
    ),
)
SUMMARY = click.option(
    "--summary", is_flag=True, help="Print the summary even without a terminal."
)


@cli.command()
@JOB
@INPUT
@click.option(
    "--limit", type=Orders(least=0), metavar="N", help="Send at most N orders."
)
@click.option(
    "--canary",
    type=Orders(least=1),
    metavar="N",
    help="Go on only if the first N orders succeed.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="These are new orders although payers and amounts repeat a recent file.",
)
@click.option(
    "--adopt",
    is_flag=True,
    help="The journal is empty: take over this job's charges from the gateway.",
)
@click.option(
    "--since",
    metavar="DATE",
    help="Look back to this day of the job's time zone, when the last listing is younger.",
)
@WAIT
@GRACE
@SUMMARY
@LANG
@JSON
def run(
    job_file: Path,
    input_file: str | None,
    summary: bool,
    lang: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Charge every new valid order once; run again to resume.

    Settles what earlier runs left open, sends what is new, writes the reports.
    """
    from batchpay import api
    from batchpay.terminal import bars
    from batchpay.terminal import run as screen

    job = _in_language(_job(job_file, input_file), lang)
    key = api.secret_key(job)
    with bars.progress(job.name) as progress:
        result = api.run(job, key, _options(job, flags), progress)
    screen.result(job, result, as_json=as_json, loud=summary)
    _leave(result.exit_code)


@cli.command()
@JOB
@WAIT
@GRACE
@SUMMARY
@LANG
@JSON
def settle(
    job_file: Path, summary: bool, lang: str | None, as_json: bool, **flags: Any
) -> None:
    """Only ask about open charges; rewrite the reports.

    Open are those that are pending or in doubt. Nothing is sent.
    """
    from batchpay import api
    from batchpay.terminal import bars
    from batchpay.terminal import run as screen

    job = _in_language(_kept_job(job_file), lang)
    key = api.secret_key(job)
    with bars.progress(job.name) as progress:
        result = api.settle(job, key, _options(job, flags), progress)
    screen.result(job, result, as_json=as_json, loud=summary)
    _leave(result.exit_code)


@cli.command()
@JOB
@click.argument("order_id", required=False, type=Words())
@LANG
@JSON
def status(
    job_file: Path, order_id: str | None, lang: str | None, as_json: bool
) -> None:
    """Show every batch and what waits, from the journal alone.

    Also when the last run began, ended and how, and who is running now. With an order id: its whole
    story.

    Exits with 11 while an order is pending, in doubt or held, with 12 while one is unproven or a
    stop is in force. With an order id by that order alone.
    """
    from batchpay import api
    from batchpay.terminal import status as screen

    job = _in_language(_kept_job(job_file), lang)
    if order_id is not None:
        from batchpay.commands import status as verb

        told = verb.story(job, order_id, spoken=not as_json)
        screen.story(job, told, as_json=as_json)
        _leave(told["exit_code"])
    made = api.status(job)
    screen.status(job, made, as_json=as_json)
    _leave(made.exit_code)


@cli.command()
@JOB
@click.argument("batch", required=False, type=Words())
@click.option(
    "--at",
    metavar="SEQ",
    type=click.IntRange(1),
    help="One that was replaced since, as of this event of the journal, into a folder at-SEQ.",
)
@LANG
@JSON
def report(
    job_file: Path, batch: str | None, at: int | None, lang: str | None, as_json: bool
) -> None:
    """Write the reports again, from the journal alone."""
    from batchpay import api
    from batchpay.terminal import report as report_screen
    from batchpay.terminal import run as run_screen

    job = _in_language(_kept_job(job_file), lang)
    _arrow_alone()
    if at is not None:
        again = api.report_at(job, at, batch)
        report_screen.again(again, as_json=as_json)
        _leave(again.exit_code)
    result = api.report(job, batch)
    run_screen.result(job, result, as_json=as_json, loud=True)
    _leave(result.exit_code)


@cli.command()
@JOB
@click.argument("order_id", required=False, type=Words())
@click.option(
    "--as",
    "as_",
    type=Words(),
    metavar="charged:chrg_…|not-charged",
    help="What became of an order in doubt.",
)
@click.option(
    "--cancel",
    is_flag=True,
    help="Never send this order, nor ask anybody for it; a batch's id: all that it holds.",
)
@click.option(
    "--row",
    "rows",
    type=int,
    multiple=True,
    metavar="N",
    help="With --cancel and a batch's id: this row, which may have no order id. Repeatable.",
)
@click.option(
    "--sheet",
    type=Words(),
    metavar="NAME",
    help="The sheet of --row, where several have it.",
)
@click.option("--lift-stop", is_flag=True, help="End the stop: a person has looked.")
@click.option(
    "--not-ours",
    type=Words(),
    metavar="chrg_…",
    help="This charge, which names no order, is another's.",
)
@click.option(
    "--account",
    "account_id",
    type=Words(),
    metavar="account_…",
    help="The journal's charges are in this account, the key's own.",
)
@WHY
@LANG
@JSON
def resolve(
    job_file: Path,
    order_id: str | None,
    as_: str | None,
    cancel: bool,
    rows: tuple[int, ...],
    sheet: str | None,
    lift_stop: bool,
    not_ours: str | None,
    account_id: str | None,
    reason: str,
    lang: str | None,
    as_json: bool,
) -> None:
    """Settle one order by hand, or lift a stop.

    An order in doubt is looked up first. One that is held, or ended without money, or is not right,
    can be cancelled: it is never sent, and nobody is asked for it. The journal keeps who and why.
    """
    from batchpay import api
    from batchpay.commands import cancel as cancelling
    from batchpay.commands import resolve as verb
    from batchpay.terminal import resolve as screen

    of_job = [lift_stop, not_ours is not None, account_id is not None]
    given = [as_ is not None, cancel, *of_job]
    if given.count(True) != 1 or any(of_job) == (order_id is not None):
        raise Usage(
            "resolve JOB ORDER_ID takes one of --as and --cancel; resolve JOB takes one of"
            " --lift-stop, --not-ours and --account"
        )
    if (rows and not cancel) or (sheet is not None and not rows):
        raise Usage("--row goes with --cancel and a batch's id, --sheet with --row")
    job = _kept_job(job_file)
    spoken = _in_language(job, lang)
    if lift_stop:
        made = verb.lift_stop(job, reason)
    elif not_ours is not None:
        made = verb.not_ours(job, api.secret_key(job), not_ours, reason)
    elif account_id is not None:
        made = verb.of_account(job, api.secret_key(job), account_id, reason)
    elif rows:
        made = cancelling.cancel_rows(job, order_id or "", rows, sheet, reason)
    elif cancel:
        made = cancelling.cancel(job, order_id or "", reason)
    else:
        key = api.secret_key(job)
        kind, _, charge_id = (as_ or "").partition(":")
        if kind == "charged" and charge_id:
            made = verb.charged(job, key, order_id or "", charge_id, reason)
        elif as_ == "not-charged":
            made = verb.not_charged(job, key, order_id or "", reason)
        else:
            raise Usage(f"--as {as_}: expected charged:chrg_… or not-charged")
    screen.resolved(spoken, made, as_json=as_json)
    _leave(made.exit_code)


@cli.command()
@JOB
@INPUT
@click.option(
    "--probe",
    is_flag=True,
    help="Test mode only: make test charges to learn what the gateway does.",
)
@click.option(
    "--recipient",
    type=Words(),
    metavar="ID",
    help="For --probe; default the account's first verified one.",
)
@click.option(
    "--customer",
    type=Words(),
    metavar="ID",
    help="For --probe; default the account's first with a card.",
)
@JSON
def doctor(
    job_file: Path,
    input_file: str | None,
    probe: bool,
    recipient: str | None,
    customer: str | None,
    as_json: bool,
) -> None:
    """Look for what would go wrong tonight; charge nothing.

    Job, schema, lookups, input, journal, disk, clock, key, and what the gateway says of the
    account, its limits and every recipient. Without a key it tells all but the gateway's part.

    --probe makes three test charges, to learn whether `destination` splits and whether the
    idempotency key is honoured.
    """
    from batchpay.commands import doctor as verb
    from batchpay.commands import probe as test_charges
    from batchpay.terminal import doctor as screen

    if not probe and (recipient or customer):
        raise Usage("--recipient and --customer are for --probe")
    streams.about(str(job_file))
    seen = verb.examine(job_file, input_file, os.environ)
    if probe:
        seen.found += test_charges.findings(seen.job, seen.key, recipient, customer)
    _leave(screen.doctor(seen.found, as_json=as_json))


@cli.command()
@JOB
@click.argument("batch", required=False, type=Words())
@JSON
def verify(job_file: Path, batch: str | None, as_json: bool) -> None:
    """Check the journal and every report against what was written.

    The journal's hash chain, and each manifest of this job against the files beside it; needs no
    key and no network. BATCH is the name of one folder. Exits with 12 on a difference, also when
    reports that were written are missing, with 74 when the journal is damaged, with 66 when there
    is none.
    """
    from batchpay.commands import verify as verb
    from batchpay.terminal import verify as screen

    made = verb.verify(_kept_job(job_file), batch)
    screen.verified(made, as_json=as_json)
    _leave(made.exit_code)


@cli.command()
@JOB
@click.option(
    "--from",
    "first",
    required=True,
    metavar="DATE",
    help="First day, of the job's time zone.",
)
@click.option("--to", "last", required=True, metavar="DATE", help="Last day, included.")
@click.option(
    "--note",
    type=Words(),
    metavar="ID",
    help="Take note of one difference, by its id; with --reason.",
)
@click.option(
    "--reason",
    type=Reason(),
    metavar="TEXT",
    help="With --note: why it is well; the journal keeps it.",
)
@JSON
def audit(
    job_file: Path,
    first: str,
    last: str,
    note: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Match our journal and the gateway's ledger both ways.

    Charges, credits, transfers and refunds of a period; lists what a person should refund, and what
    was refunded, by the day of the charge and by the day of the refund.

    Exits with 12 while there is a difference that nobody took note of as it is.
    """
    from batchpay.commands import audit as verb
    from batchpay.domain import times
    from batchpay.terminal import audit as screen

    if (note is None) != (reason is None):
        raise Usage(
            "--note ID and --reason TEXT go together: which difference, and why it is well"
        )
    days = times.day("--from", first), times.day("--to", last)
    job, key = _key_and_kept_job(job_file)
    if note is not None and reason is not None:
        word = (note, reason)
    else:
        word = None
    made = verb.audit(job, key, verb.Period(*days, job.controls.time_zone), word)
    screen.audit(made, as_json=as_json)
    _leave(made.exit_code)


@cli.command()
@JOB
@click.option(
    "--before",
    required=True,
    metavar="DATE",
    help="Batches that did not change since this day of the job's time zone began.",
)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the files go; default the folder archive beside the journal.",
)
@click.option(
    "--list", "only_list", is_flag=True, help="Only show what would be archived."
)
@JSON
def archive(
    job_file: Path, before: str, to: Path | None, only_list: bool, as_json: bool
) -> None:
    """Write finished batches into a file each; pack the journal.

    Finished are those of which nothing moves by itself and nobody must act: none of their rows is
    held, pending, in doubt or unproven, no transfer is followed, no dispute is open. Each file is
    read back before the journal notes it. The journal keeps every event: nothing that a later run
    decides, and no report, changes by it.

    Exits with 12 while a stop is in force, with 75 while a run is at work.
    """
    from batchpay.commands import archive as verb
    from batchpay.domain import times
    from batchpay.terminal import archive as screen

    day = times.day("--before", before)
    made = verb.archive(_kept_job(job_file), day, to, only_list=only_list)
    screen.archived(made, as_json=as_json)
    _leave(made.exit_code)


@cli.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the demo's files go; default demo.",
)
@JSON
def demo(directory: Path | None, as_json: bool) -> None:
    """The main job, whole, without account or network.

    Runs on the samples, against a sandbox it starts itself, and ends by naming the report files.
    """
    from batchpay.commands import demo as verb

    _leave(verb.demo(directory, as_json=as_json))


@cli.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=8787,
    show_default=True,
    help="0: any free port.",
)
@click.option(
    "--script",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How it is set up and what goes wrong: docs/sandbox.md.",
)
@click.option(
    "--ledger",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the charges in it.",
)
@click.option(
    "--idempotency",
    type=click.Choice(["off", "on"]),
    default="off",
    show_default=True,
    help="Honour the Idempotency-Key header.",
)
def sandbox(
    port: int, script: Path | None, ledger: Path | None, idempotency: str
) -> None:
    """Serve an imitation of the gateway on 127.0.0.1 until stopped."""
    from batchpay.commands import sandbox as verb

    def on_ready(url: str) -> None:
        streams.write(f"{url} (Ctrl-C ends it; secret key: any skey_test_...)")

    verb.sandbox(port, script, ledger, idempotency, on_ready)


@cli.command()
@click.argument("name", metavar="NAME", type=click.Choice(SCHEMAS))
def schema(name: str) -> None:
    """Print a JSON Schema: job, order or report.

    job: what may stand in a job file. order: what an order is, for a job that names no schema of
    its own. report: what report.json holds.
    """
    from batchpay.commands import schema as verb

    streams.raw(verb.schema(name))


@cli.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of bash, zsh or fish.

    For bash: batchpay completion bash > ~/.local/share/bash-completion/completions/batchpay
    """
    from batchpay.commands import completion as verb

    streams.raw(verb.completion(cli, shell, COMPLETING))


NOT_FLAGS = {  # what people reach for, and what there is instead
    "--dry-run": (
        "there is no --dry-run: batchpay plan shows what run would send, and sends nothing"
    ),
}


# Rows are many, live long and point in no circles: at Python's own pace a tenth of a run is spent
# on walking over all of them, again and again.
COLLECT_AFTER = (20_000, 50, 100)
# The journal's thread asks for the interpreter after each step of SQLite's, some twenty times a
# commit: a loop that is busy would keep it for 5 ms each time.
YIELD_AFTER_S = 0.0005


def main(argv: list[str] | None = None) -> None:
    """Entry point: every end is an exit code and at most some sentences, never a traceback."""
    streams.prepare()
    streams.speak("en")
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(YIELD_AFTER_S)
    if _NoProgramOfHttpx not in sys.meta_path:
        sys.meta_path.insert(0, _NoProgramOfHttpx)
    if not os.environ.get("BATCHPAY_DEBUG"):
        _say_nothing_else()
    if argv is None:
        words = sys.argv[1:]
    else:
        words = argv
    helping.speak(cli, words, os.environ)
    if not words and COMPLETING not in os.environ:
        streams.raw(
            cli.get_help(
                click.Context(cli, info_name="batchpay", **cli.context_settings)
            ),
            err=True,
        )
        _leave(Usage.exit_code)
    end = partial(_end, as_json="--json" in words)
    try:
        cli.main(args=words, prog_name="batchpay", standalone_mode=False)
    except click.exceptions.Abort:
        end(75, "interrupted")
    except click.ClickException as error:
        end(Usage.exit_code, _usage(error))
    except BatchpayError as error:
        end(error.exit_code, str(error), shown=_told(error))
    except KeyboardInterrupt:
        end(75, "interrupted; run the same command again")
    except BrokenPipeError:
        end(0, "")
    except MemoryError:
        end(
            75,
            "out of memory; run the same command again on a larger machine, nothing is lost",
        )
    except Exception as error:
        if trouble := translated(error):
            end(trouble.exit_code, str(trouble))
        if os.environ.get("BATCHPAY_DEBUG"):
            raise
        what = line(f"{type(error).__name__}: {error}")
        lost = "Nothing that was sent is lost: it is in the journal"
        end(
            70,
            f"a bug in batchpay: {what}. {lost}. Set BATCHPAY_DEBUG=1 to see where, and please"
            " report it",
        )
    end(0, "")


def _say_nothing_else() -> None:
    """What Python itself prints where something cannot be taken down in order tells nobody what to
    do.
    """
    import warnings

    sys.unraisablehook = lambda _: None
    warnings.simplefilter("ignore")


def _usage(error: click.ClickException) -> str:
    """What click has to say, in one line, with where to look."""
    if isinstance(error, click.NoSuchOption) and error.option_name in NOT_FLAGS:
        return NOT_FLAGS[error.option_name]
    if isinstance(error, click.UsageError) and error.ctx:
        where = error.ctx.command_path
    else:
        where = "batchpay"
    return line(f"{error.format_message()} (see {where} --help)")


def _job(job_file: Path, input_file: str | None) -> Job:
    from batchpay import api

    streams.about(str(job_file))
    _arrow_alone()
    return api.load(job_file, input_file=input_file)


def _arrow_alone() -> None:
    """Let Arrow do without pandas, which it imports before it takes the first value of Python's, to
    see whether it is one of pandas': none of ours ever is, and that takes longer than reading ten
    thousand rows.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.scalar(0)
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A finder of modules that finds no pandas."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


class _NoProgramOfHttpx:
    """A finder of modules that does not find the program that httpx has for terminals: with it come
    rich and pygments, and to load them takes two thirds as long again as to load httpx.
    """

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "httpx._main":
            raise ModuleNotFoundError(name)


def _kept_job(job_file: Path) -> Job:
    from batchpay import api

    streams.about(str(job_file))
    return api.load_kept(job_file)


def _in_language(job: Job, language: str | None) -> Job:
    """The job with its reports in another language, where the command line says one."""
    from dataclasses import replace

    if language is not None:
        job = replace(job, report=replace(job.report, language=language))
    streams.speak(job.report.language)
    return job


def _key_and_kept_job(job_file: Path) -> tuple[Job, SecretKey]:
    from batchpay import api

    job = _kept_job(job_file)
    return job, api.secret_key(job)


def _options(job: Job, flags: dict[str, Any]) -> Options:
    from datetime import UTC, datetime

    from batchpay import api
    from batchpay.domain import times

    given = {name: value for name, value in flags.items() if value is not None}
    if "grace" in given:
        given["grace_s"] = given.pop("grace")
    if "since" in given:
        zone = job.controls.time_zone
        given["since"] = times.since(given["since"], zone, datetime.now(UTC))
    return api.Options(**given)


def _leave(code: int) -> None:
    raise SystemExit(streams.end(code))


def _told(error: BatchpayError) -> str:
    """In the language of the job's reports, once the job is read."""
    from batchpay.terminal.speech import Speech

    return Speech(streams.language()).error(error)


def _end(code: int, sentences: str, *, as_json: bool, shown: str = "") -> None:
    """Say it and go; who asked for JSON and got no result gets the trouble as JSON. `shown`: the
    same for people, where they read another language.
    """
    if sentences:
        streams.write_lines(f"batchpay: {shown or sentences}", err=True)
        if as_json and not streams.printed():
            streams.write_json(
                {
                    "exit_code": code,
                    "trouble": [{"exit_code": code, "message": sentences}],
                }
            )
    _leave(code)
