"""Aligned text."""

from __future__ import annotations

from include.reports.text import section, table


def test_numbers_to_the_right_wide_letters_count_twice():
    assert table(["name", "n"], [["전기", 1_000], ["abcde", None]]) == (
        "    name       n\n    전기   1,000\n    abcde      -"
    )


def test_what_is_left_out_is_counted():
    assert table(["n"], [[1], [2], [3]], limit=1).splitlines()[-1] == "    … and 2 more"


def test_nothing_makes_no_section():
    assert table(["n"], []) == ""
    assert section("Empty", "", table(["n"], [])) == ""
