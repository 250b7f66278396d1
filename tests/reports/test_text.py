"""Aligned text."""

from __future__ import annotations

from tanso.reports.text import section, table


def test_numbers_to_the_right_wide_letters_count_twice():
    assert table(["name", "n"], [["전기", 1_000], ["abcde", None]]) == (
        "    name       n\n    전기   1,000\n    abcde      -"
    )


def test_what_is_left_out_is_counted():
    assert table(["n"], [[1], [2], [3]], limit=1).splitlines()[-1] == "    … and 2 more"


def test_nothing_makes_no_section():
    assert table(["n"], []) == ""
    assert section("Empty", "", table(["n"], [])) == ""


def test_a_cell_is_one_line_and_everything_in_it_is_seen():
    assert table(["a\x1b"], [["b\nc\u202e"]]) == "    a\\x1b\n    b\\x0ac\\u202e"
