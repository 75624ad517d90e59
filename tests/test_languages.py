"""Three languages, one catalogue: the same facts in each of them, whole sentences, fields and
commands as they are in English.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import openpyxl
import pytest

from batchpay import cli
from batchpay.commands.explain import entries_of
from batchpay.domain import exits
from batchpay.domain.exits import Acts
from batchpay.job.packaged import data_path
from batchpay.messages import (
    helping,
    labels,
    noticed,
    problems,
    repeats,
    standing,
    steps,
)
from batchpay.messages.message import BY_CODE, Entry, worded
from batchpay.reports import write_reports
from batchpay.reports.rewording import found_again
from batchpay.reports.words import LANGUAGES, Words, language_of
from batchpay.reports.workbook import SHEETS
from batchpay.terminal.helping import speak
from tests import catalogue
from tests.inside import Inside
from tests.nights_told import night
from tests.test_page import Read
from tests.world import Market, order

MARKET = Inside

OTHERS = tuple(name for name in LANGUAGES if name != "en")
GAP = re.compile(r"\{[a-z_]+(?::[a-z]+)?\}")
COMMAND = re.compile(
    r"batchpay [a-z]+ JOB(?: --[a-z-]+| not-charged| TEXT| charged:\{charge\})*"
)
FLAG = re.compile(r"--[a-z-]+|batchpay_[a-z]+|[a-z_]+ = \"[a-z]+\"|\[[a-z]+\]")


def translated(language: str) -> dict[str, str]:
    """What a language has, by code."""
    found = {}
    for code, one in catalogue.kept(language).items():
        said = one.string[0] if isinstance(one.string, tuple) else one.string
        if said and not one.fuzzy:
            found[code] = said
    return found


def test_every_place_names_the_same_languages() -> None:
    """The job's schema, the command line, the catalogues."""
    schema = json.loads(data_path("schemas/job.schema.json").read_text("utf-8"))
    assert (
        tuple(schema["properties"]["report"]["properties"]["language"]["enum"])
        == LANGUAGES
    )
    assert tuple(_choices()) == LANGUAGES
    assert set(catalogue.LANGUAGES) == set(OTHERS)


def _choices() -> list[str]:
    (lang,) = [one for one in cli.report.params if one.name == "lang"]
    return list(lang.type.choices)  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_of_what_is_said_now(language: str) -> None:
    """`make messages` writes it anew, and marks what is of another sentence."""
    path = catalogue.po_of(language)
    assert path.read_text("utf-8") == catalogue.translations()[path]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("of", ["", "explain-"])
def test_nothing_waits_to_be_translated(language: str, of: str) -> None:
    """What is said anew, and what is said otherwise than it was."""
    path = catalogue.po_of(f"{of}{language}")
    text = path.read_text("utf-8")
    head, *entries = text.split("\n\n")
    assert "fuzzy" not in text
    untold = [one for one in entries if re.search(r'^msgstr(\[0\])? ""$', one, re.M)]
    assert untold == [] and "msgid" in head


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_fields_and_the_commands_of_its_sentence(
    language: str,
) -> None:
    """No gap too many or too few; what is typed stays as it is typed."""
    for code, said in translated(language).items():
        entry = BY_CODE[code]
        assert sorted(GAP.findall(said)) == sorted(GAP.findall(entry.text)), code
        assert COMMAND.findall(said) == COMMAND.findall(entry.text), code
        assert sorted(FLAG.findall(said)) == sorted(FLAG.findall(entry.text)), code


@pytest.mark.parametrize("language", OTHERS)
def test_every_word_of_the_reports_is_translated(language: str) -> None:
    """Headings, columns, outcomes, verdicts."""
    there = translated(language)
    missing = [entry.code for entry in entries_of("labels") if entry.code not in there]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_nearly_every_sentence_is_translated(language: str) -> None:
    """One in fifty may wait for its translator, in English meanwhile."""
    missing = sorted(BY_CODE.keys() - translated(language).keys())
    assert 50 * len(missing) <= len(BY_CODE), missing


TYPED = re.compile(
    r"`[^`]+`|--[a-z-]+|batchpay_[a-z]+|[a-z_]+ = \"[^\"]*\"|\[[a-z]+\]|[a-z]+_test_[0-9]+"
)


@pytest.mark.parametrize("language", OTHERS)
def test_what_explain_says_is_translated_with_all_that_is_typed(language: str) -> None:
    """What each sentence means, its example and its remedy; one in fifty may wait."""
    path = catalogue.abouts_of(language)
    for written, text in catalogue.explanations().items():
        assert written.read_text("utf-8") == text, written
    known = catalogue.kept_abouts(language)
    missing = [text for text in catalogue.abouts() if not known.get(text)]
    assert 50 * len(missing) <= len(known), (path, missing)
    for text, said in known.items():
        if said:
            assert sorted(TYPED.findall(said)) == sorted(TYPED.findall(text)), text


def test_what_a_language_does_not_have_is_said_in_english() -> None:
    """As is a sentence that was worded anew since."""
    assert language_of("en") is None
    thai = language_of("th")
    assert thai is not None
    assert thai.pgettext("yes-or-no", "write yes or no") == "write yes or no"
    assert problems.YES_OR_NO().worded(thai) != str(problems.YES_OR_NO())


def test_what_a_journal_keeps_in_english_is_found_again() -> None:
    """Notes of a file, refusals and next steps, with what stands in their gaps; a person's own
    words are nobody's.
    """
    thai = language_of("th")
    for family in ("noticed", "controls", "steps"):
        for entry in entries_of(family):
            told = entry(**{name: _filled(name, entry) for name in entry.names})
            found = found_again(str(told))
            if found is not None:
                assert str(found) == str(told), entry.code
            if entry.count and family == "noticed":
                assert found is not None
                assert found.worded(thai) == told.worded(thai), entry.code
    step = steps.VERIFY()
    again = found_again(str(standing.IS_UNVERIFIED(step=step)))
    assert again == standing.IS_UNVERIFIED(step=step)
    note = noticed.BLANK_ROWS(rows=3)
    assert Words("th").again(str(note)) == note.worded(thai) != str(note)
    assert Words("th").again("somebody said so") == "somebody said so"
    for shown in ("00001", "1234"):
        example = noticed.SHOWN_FOR(shown=shown, number="1")
        note = noticed.WITH_ZEROS(column="A", example=example)
        assert Words("th").again(str(note)) == note.worded(thai)
        assert shown in note.worded(thai)


def test_a_kept_sentence_within_or_beside_another_is_found_again() -> None:
    """A short one only where such a one stands; one that begins with a gap takes no other into it;
    an outcome is told by its word.
    """
    thai = language_of("th")
    barred = standing.HELD_RECIPIENT(
        recipient="recp_1", why=standing.IS_UNVERIFIED(step=steps.VERIFY())
    )
    again = Words("th").again
    assert again(str(barred)) == barred.worded(thai)
    assert found_again("recipient recp_1 is new") is None
    assert found_again("row 3") is None
    repeat = repeats.OTHER_CONTENT(places=repeats.ROW(row=3), step=steps.LEAVE_ONE())
    assert again(str(repeat)) == repeat.worded(thai)
    acts = Acts({"engineer": 2, "next run": 1}, given=("a.csv", "b.csv"))
    told = exits.messages(11, acts)
    assert len(told) == 3
    assert again(worded(told)) == worded(told, thai)
    named = f"a.csv: {noticed.NO_TOTALS(name='a.csv')}"
    assert again(named) == f"a.csv: {noticed.NO_TOTALS(name='a.csv').worded(thai)}"
    blank = noticed.BLANK_ROWS(rows=3)
    two = again(f"a.csv: {blank}; somebody said so")
    assert two == f"a.csv: {blank.worded(thai)}; somebody said so"
    order = standing.ORDER_AT(
        order="1", place=standing.BATCH(batch="b"), outcome="in_doubt"
    )
    assert translated("th")["outcome.in_doubt"] in again(
        str(standing.DUPLICATE(other=order))
    )


def test_a_step_and_what_stands_in_brackets_are_found_again() -> None:
    """A step has colons of its own; brackets may be empty."""
    order = standing.ORDER_AT(
        order="1", place=repeats.ROW(row=3), outcome=BY_CODE["outcome.held"]()
    )
    step = steps.NEW_SALE(batch="b", order="1")
    alike = repeats.ALIKE(order="1", step=steps.WRITE_ID(other="1"))
    others = standing.OR_OTHERS(orders="2, 3")
    for told in (
        standing.HELD_CANCELLED_UNNAMED(order="1", reason="no", also="", step=step),
        standing.HELD_CANCELLED_UNNAMED(order="1", reason="no", also=others, step=step),
        standing.CONFLICT_CORRECTS(step=steps.OTHER_CONTENT(), other=order),
        standing.CONFLICT_ALIKE(alike=alike, other=order),
    ):
        for language in OTHERS:
            in_it = told.worded(language_of(language))
            assert Words(language).again(str(told)) == in_it != str(told)


def _filled(name: str, entry: Entry) -> str | int:
    """Of what fills a gap in such a sentence."""
    if name == entry.count or f"{{{name}:d}}" in entry.text:
        return 3
    return f"{name}-9"


def test_numbers_days_and_commands_are_of_the_language() -> None:
    """A day of the Gregorian calendar in each; commands name the job."""
    at = "2026-11-24T17:00:00Z"
    assert Words("en", "Asia/Bangkok").instant(at) == "25 Nov 2026, 00:00:00"
    assert Words("ja", "Asia/Tokyo").instant(at) == "2026/11/25 2:00:00"
    assert "2026" in Words("th", "Asia/Bangkok").day(at)
    assert Words("ja").say(labels.ROWS(count=1)) == "1 行"
    assert Words("en").say(labels.ROWS(count=1)) == "1 row"
    told = Words("ja", "UTC", "night.toml").say(steps.LIFT_STOP())
    assert told.endswith(
        "batchpay resolve night.toml --lift-stop --reason 'your reason'"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_the_same_in_every_language(language: str, tmp_path: Path) -> None:
    """The same rows, sums and commands; its own words, and that nobody has reviewed them."""
    write_reports(tmp_path / "en", night())
    write_reports(tmp_path / language, night(language=language))
    english, text = (
        (tmp_path / name / "report.html").read_text("utf-8")
        for name in ("en", language)
    )
    read = Read(text)
    assert read.all("html") == [{"lang": language}]
    money = re.compile(r"[0-9][0-9,.]* (?:THB|JPY)")
    assert sorted(money.findall(text)) == sorted(money.findall(english))
    assert read.texts["code"] == Read(english).texts["code"]
    words = Words(language)
    for entry in (labels.HEADING_MONEY, labels.HEADING_ACTION, labels.TEST):
        assert words.word(entry) in text
    note = words.word(labels.NOT_REVIEWED)
    assert (note in text) is (language != "en")


@pytest.mark.parametrize("language", OTHERS)
def test_a_workbook_says_the_same_in_every_language(
    language: str, tmp_path: Path
) -> None:
    """The names of its sheets stay; headings and outcomes are of the language; its sums hold."""
    write_reports(tmp_path, night(language=language))
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", data_only=True)
    assert tuple(book.sheetnames) == SHEETS
    words = Words(language)
    assert book["Results"]["C1"].value == words.column("outcome")
    assert book["Results"]["C2"].value == words.outcome("succeeded")
    summary = [[cell.value for cell in row] for row in book["Summary"].iter_rows()]
    told = {line[0]: line for line in summary if line[2] == "THB" and line[6]}
    assert told[words.outcome("succeeded")][3:6] == [2, 2469, 2469]
    assert {line[6] for line in told.values()} == {words.word(labels.FACT_OK)}


def helped(environment: dict[str, str], *words: str) -> dict[str, str]:
    """What the list of commands says of each, on such a terminal."""
    group = copy.copy(cli.cli)
    group.commands = {name: copy.copy(one) for name, one in cli.cli.commands.items()}
    speak(group, list(words), environment)
    return {
        name: one.get_short_help_str(200)
        for name, one in {"batchpay": group, **group.commands}.items()
    }


def test_help_begins_in_the_language_of_the_terminal() -> None:
    """Its first lines, by the locale that is in force; elsewhere all is English, as the catalogue
    has it.
    """
    english = {
        one.code.removeprefix("help."): str(one())
        for one in (helping.ALL, *helping.COMMANDS)
    }
    asked = {"LC_ALL": "", "LANG": "th_TH.UTF-8"}
    for environment, words in (
        ({}, ["--help"]),
        ({"LANG": "th_TH.TIS-620"}, ["--help"]),
        ({**asked, "LC_ALL": "C.UTF-8"}, ["--help"]),
        (asked, ["run", "job.toml"]),
    ):
        assert helped(environment, *words) == english
    for language in OTHERS:
        kept = translated(language)
        told = {name: kept[f"help.{name}"] for name in english}
        locale = {"LC_ALL": f"{language}_XX.utf8", "LANG": "C"}
        assert helped(locale) == helped(locale, "run", "-h") == told
    assert helped(asked, "--help")["settle"] == translated("th")["help.settle"]


def test_a_run_in_another_language_says_the_next_step_in_it(market: Market) -> None:
    """`--lang` for once, `[report] language` for good; results.csv is for programs, in English."""
    market.orders([order(1), order(2, amount="1.234,50")])
    job = market.job().read_text() + '\n[report]\nformats = ["csv", "json", "html"]\n'
    (market.folder / "job.toml").write_text(job)
    done = market.run("--lang", "ja")
    assert done.returncode == 10
    assert "exit 10: 経理担当: 1 件の注文" in done.stdout
    assert done.stdout.startswith(
        "TEST: 今回の実行: 1 件の注文を送信 (1 成功)、課金 101.25 THB"
    )
    assert "バッチ全体（全実行の合計）: 課金 101.25 THB" in done.stdout
    (page,) = (market.folder / "reports").glob("*/report.html")
    assert '<html lang="ja">' in page.read_text("utf-8")
    assert "(number-format)" in next(
        r["reason"] for r in market.results() if r["reason"]
    )
    (market.folder / "job.toml").write_text(job + 'language = "th"\n')
    assert "ฝ่ายบัญชี: ดูแล 1 คำสั่งซื้อ" in market.run(verb="report").stdout
    table = market.run("--summary", "--lang", "ja").stdout
    lines = dict(re.findall(r"^ *(\S+(?: \S+)*)  +([0-9,.]+)$", table, re.MULTILINE))
    assert lines["読み込んだ行"] == "2" and "ゲートウェイへ送信" in table
    assert (lines["成功"], lines["THB 課金額"]) == ("1", "101.25")
    database = market.folder / "state" / "batchpay.db"
    copy = database.read_bytes()
    market.orders([order(3)])
    assert market.run().returncode == 0
    database.write_bytes(copy)
    put_back = market.run("--lang", "th", "--summary").stdout
    assert "รับช่วงรายการเรียกเก็บ 1 รายการ" in put_back and "สำเนาเก่า" in put_back
