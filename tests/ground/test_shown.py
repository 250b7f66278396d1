"""Text from outside, shown to people."""

from __future__ import annotations

import json
import re

import pytest

from tanso import shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("kepco_202101.csv", "kepco_202101.csv"),
        ("가스 2021\u3000東京.csv", "가스 2021\u3000東京.csv"),
        ("a\nb\r\tc", "a\\x0ab\\x0d\\x09c"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202efdp.csv", "\\u202efdp.csv"),
        ("a\u200bb\u00a0c", "a\\u200bb\\xa0c"),
        (b"\xb0\xa1.csv".decode("utf-8", "surrogateescape"), "\\xb0\\xa1.csv"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_is_not_seen_is_written_out(text: str, seen: str) -> None:
    assert shown.escaped(text) == seen


@pytest.mark.parametrize(
    "text", ["![](http://a.b/c)", "[Approve](http://a.b)", "a | b", "**a**", "<b>", "www.a.b", "x@y.z"]
)
def test_markdown_has_no_sign_left_that_means_something(text: str) -> None:
    assert not set("![](){}|*_<>`~.:@/\\") & set(shown.markdown(text))


@pytest.mark.parametrize("text", ["_a_", "a _b_", "__a__", "_"])
def test_markdown_has_no_underscore_that_means_something(text: str) -> None:
    assert not re.search(r"\b_|_\b|^_|_$", shown.markdown(text).replace("&#95;", ""))


def test_several_lines_stay_lines_and_json_stays_json() -> None:
    assert shown.lines("a\x1b[2J\nb\u202e") == "a\\x1b[2J\nb\\u202e"
    value = [{"id": "\x9b2J\u202e\n가\U000e0001"}]
    text = shown.json_text(value)
    assert json.loads(text) == value and "가" in text and not set("\x9b\u202e\U000e0001") & set(text)


def test_markdown_leaves_plain_ids_alone() -> None:
    assert shown.markdown("green_card") == "green_card"
    assert shown.markdown("JJ0131 김-1") == "JJ0131 김-1"


@pytest.mark.parametrize(
    ("text", "is_guarded"),
    [
        ("=1+1", True), ("+1", True), ("-1", True), ("@a", True), ("\ta", True), ("\ra", True), ("\n=a", True),
        ("＝1", True), ("＋1", True), ("＠a", True), (" =1", True), ("\u3000=1", True), ("\u200b=1", True),
        ("\u3164=1", True),
        ("홍길동", False), ("a=1", False), ("", False), ("  ", False), ("'=1", False),
    ],
)  # fmt: skip
def test_a_cell_that_begins_like_a_formula_is_guarded(text: str, is_guarded: bool) -> None:
    assert shown.spreadsheet(text) == ("'" + text if is_guarded else text)


def test_one_line_of_a_name() -> None:
    assert shown.one_line("홍길동\r\n088,1\x00\x1b[0m\u202e김") == "홍길동  088,1  [0m김"


def test_one_line_has_no_filler_and_no_other_space() -> None:
    assert shown.one_line("김\u3164\u2800\u00a0철\u2003수\u3000\ufffe東") == "김 철 수\u3000東"


def test_html_is_word_for_word() -> None:
    assert shown.html("<b a='x'>\u202e") == "&lt;b a=&#x27;x&#x27;&gt;\\u202e"
