"""The pipeline's steps without Airflow: ``tanso <step>``. What lies where: ``include/tanso/settings.py``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from tanso import command, settings, shown
from tanso.local.lock import hold

_AS_OF = "YYYY-MM-DD, not a day to come; TANSO_AS_OF unless given, or today in each programme's time zone"


def main(arguments: list[str] | None = None) -> int:
    """Run one step; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(handlers=[_Seen()])
    logging.getLogger("tanso").setLevel(logging.INFO)
    # A line per model and test is for a task's log; here failures are enough, and the total that follows.
    logging.getLogger("tanso.warehouse.run_dbt").setLevel(logging.WARNING)
    return command.exit_code(lambda: _step(options))


def _step(options: argparse.Namespace) -> int:
    if options.reads_only:
        options.step(options)
    else:
        with hold(settings.home()):
            options.step(options)
    return 0


class _Seen(logging.StreamHandler[TextIO]):
    """To the terminal, with names and values from outside escaped."""

    def format(self, record: logging.LogRecord) -> str:
        return shown.lines(record.getMessage())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tanso", description=__doc__)
    steps = parser.add_subparsers(required=True, metavar="step")

    def add(
        name: str, step: Callable[[argparse.Namespace], object], text: str, reads_only: bool = False, **options: Any
    ) -> argparse.ArgumentParser:
        parser = steps.add_parser(name, help=text, description=text, **options)
        parser.set_defaults(step=step, reads_only=reads_only)
        return parser

    ingest = add("ingest", _ingest, "take new files of the sources into the lake")
    ingest.add_argument("sources", nargs="*", help="source ids; all unless given")
    evaluate = add("evaluate", _evaluate, "build the marts and publish them when every check passes")
    evaluate.add_argument("--force", action="store_true", help="rebuild everything, even when nothing has changed")
    propose = add("propose", _propose, "work out what is due")
    approve = add("approve", _approve, "list the proposals that wait, or approve one and issue it")
    approve.add_argument("proposal", nargs="?", help="the id of the proposal")
    approve.add_argument("--by", help="name of the person who approves it; goes into the batch's manifest")
    run = add("run", _run, "ingest, evaluate and propose; with --by also issue, and evaluate again")
    run.add_argument("--by", help="name of the person who approves whatever is due")
    for dated in (propose, run):
        dated.add_argument("--as-of", type=_day, help=_AS_OF)
        dated.add_argument(
            "--despite-failed-sources",
            action="store_true",
            help="also what was worked out without a source that failed in the newest ingest",
        )
    explain = add("explain", _explain, "why a participant got what they got", reads_only=True)
    explain.add_argument("participant")
    explain.add_argument("--period", help="period_id, e.g. 2021H1; every period with points or payments unless given")
    explain.add_argument("--json", action="store_true", help="for machines")
    purge = add("purge", _purge, "show whose personal data are past their retention; --apply erases them")
    purge.add_argument("--apply", action="store_true", help="erase; unless given nothing is changed")
    purge.add_argument("--as-of", type=_day, help=_AS_OF)
    backfill = add(
        "backfill", _backfill, "evaluate as of a past day; what is published stays as it is", reads_only=True
    )
    backfill.add_argument("as_of", help="YYYY-MM-DD (its end there), or a moment like 2026-07-01T09:00+09:00")
    backfill.add_argument("--program", help="program_id; all programmes unless given")
    backfill.add_argument("--period", help="period_id, e.g. 2021H1; all periods unless given")
    text = "any dbt command on scratch files, for who changes a rule: tanso dbt build --select +fct_payouts"
    # No word begins with this prefix, so options are dbt's.
    dbt = add("dbt", _dbt, text, reads_only=True, prefix_chars="\0", add_help=False)
    dbt.add_argument("arguments", nargs="*")
    schema = add("schema", _schema, "write the JSON Schemas of declarations, for editors", reads_only=True)
    schema.add_argument("folder", nargs="?", default="docs/reference/schemas", help="default: docs/reference/schemas")
    add("summary", _summary, "files received, rows refused, payouts due, and where the outputs are", reads_only=True)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write YYYY-MM-DD") from None


def _ingest(options: argparse.Namespace) -> None:
    if failed := _take(options):
        raise RuntimeError(
            f"Failed: {', '.join(failed)}; the other sources are in the lake. Fix what is reported above and run again."
        )


def _take(options: argparse.Namespace) -> list[str]:
    """Take the sources' new files into the lake; the sources that failed."""
    from tanso import steps

    failed = []
    for source_id in steps.source_ids(getattr(options, "sources", None)):
        print(f"{source_id}: ", end="", flush=True)
        try:
            steps.ingest_source(source_id)
        except BrokenPipeError:
            raise
        except Exception as error:  # the other sources' files are taken all the same
            print(f"{source_id}: {command.told(error)}", file=sys.stderr)
            failed.append(source_id)
    steps.publish_lake()
    return failed


def _evaluate(options: argparse.Namespace) -> None:
    from tanso import steps

    steps.evaluate(options.force)


def _propose(options: argparse.Namespace) -> list[dict[str, str]]:
    from tanso import steps

    questions = steps.propose(options.as_of, despite_failed_sources=options.despite_failed_sources)
    for question in questions:
        print(shown.escaped(f"{question['proposal_id']}  {question['subject']}"))
    return questions


def _approve(options: argparse.Namespace) -> None:
    from tanso import steps
    from tanso.ledger import approvals
    from tanso.payouts import pending
    from tanso.reports.approval import TERMINAL, body, subject

    if options.proposal:
        if not (options.by or "").strip():
            raise ValueError("Who approves it? Give --by (BY=<name> with make); the name goes into the manifest.")
        if _approve_and_issue(options.proposal, options.by):
            steps.evaluate()
        return
    home = settings.home()
    waiting = pending(home)
    for proposal in waiting:
        print(f"{subject(proposal)}\n\n{body(proposal, TERMINAL)}\n")
        if names := approvals.given(home, proposal):
            print(shown.escaped(f"Approved so far by {approvals.joined(names)}.") + "\n")
        print(shown.escaped(f"  make approve PROPOSAL={proposal.proposal_id} BY=<name>") + "\n")
    if not waiting:
        print("No proposal waits.")


def _approve_and_issue(proposal_id: str, by: str) -> bool:
    """False when another person must approve it first."""
    from tanso import steps

    if steps.approve(proposal_id, by.strip()):
        steps.issue(proposal_id, by.strip())
        return True
    print(shown.escaped(f"  make approve PROPOSAL={proposal_id} BY=<another name>"))
    return False


def _run(options: argparse.Namespace) -> None:
    from tanso import steps

    steps.checked(options.as_of)
    failed = _take(options)  # of its programme nothing is proposed; the others go on
    steps.check_policy()
    steps.evaluate(as_of=options.as_of)
    questions = _propose(options)
    if options.by:
        issued = [_approve_and_issue(question["proposal_id"], options.by) for question in questions]
        if any(issued):
            steps.evaluate(as_of=options.as_of)
    _summary(options)
    if failed:
        raise RuntimeError(f"Failed: {', '.join(failed)}. Fix what is reported above and run again.")


def _explain(options: argparse.Namespace) -> None:
    from tanso.explain.report import explain

    print(explain(settings.home(), options.participant, options.period, options.json))


def _purge(options: argparse.Namespace) -> None:
    from tanso.purge.report import purge

    print(purge(settings.home(), options.as_of or settings.as_of(), options.apply))


def _backfill(options: argparse.Namespace) -> None:
    from tanso import steps

    steps.backfill(options.as_of, options.program, options.period)


def _dbt(options: argparse.Namespace) -> None:
    from tanso.warehouse import scratch

    scratch.dbt(settings.home(), options.arguments or ["--help"])


def _schema(options: argparse.Namespace) -> None:
    from tanso.reports import schemas

    for path in schemas.write(Path(options.folder)):
        print(path)


def _summary(options: argparse.Namespace) -> None:
    from tanso.reports.summary import summarize

    print(summarize(settings.home(), getattr(options, "as_of", None)))


if __name__ == "__main__":
    sys.exit(main())
