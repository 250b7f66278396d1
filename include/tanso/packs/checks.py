"""Checks over rows: keys, times, tiers, and what one table says about another."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from tanso.packs.rows import Problems, Row
from tanso.packs.tables import Table

Tables = dict[str, list[Row]]

# Bands [lower, upper) that must join without a gap or an overlap: table -> (what they are per, lower, upper)
BANDS = {
    "reduction_tiers": (("program_id", "participant_class", "utility"), "rate_from", "rate_to"),
    "bonus_tiers": (("program_id",), "rate_from", "rate_to"),
    "complex_award_bands": (("program_id",), "score_from", "score_to"),
}
# Places [lower, upper] that must not overlap
PLACES = {
    "rank_awards": (("program_id", "ranking_id"), "rank_from", "rank_to"),
    "continuity_awards": (("program_id",), "achievement", "achievement"),
}
# One row in force at a time
SINGLE = {
    "maintenance_rules": ("program_id", "participant_class", "utility"),
    "standard_usage_rules": ("program_id", "participant_class", "utility"),
}
FOREVER = date.max
MOST_APPROVERS = 2  # as many as the DAG asks


def check_table(table: Table, rows: list[Row], tables: Tables, problems: Problems) -> None:
    """Add what is wrong among the rows of one table; each row by itself is good already."""
    _check_keys(table, rows, tables, problems)
    for row in rows:
        for check in ROW_CHECKS.get(table.name, ()):
            check(row, tables, problems)
        values = row.values
        if values.get("valid_to_on") and values["valid_to_on"] < values["valid_from_on"]:
            problems.add(row.where, "valid_to", values["valid_to"], f"is before valid_from {values['valid_from']}")
    if table.name in BANDS:
        _check_bands(table, rows, problems)
    if table.name in PLACES:
        _check_places(table, rows, problems)
    if table.name in SINGLE:
        for first, second in _pairs_in_force(table, rows, SINGLE[table.name]):
            starts = second.values["valid_from"]
            problems.add(second.where, "valid_from", starts, f"holds at the same time as {first.where}")


def _check_keys(table: Table, rows: list[Row], tables: Tables, problems: Problems) -> None:
    """A key (with its first day, where rows are dated and have no end) stands once."""
    seen: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = tuple(row.values[name] for name in table.key)
        if table.name == "baseline_policies":  # one series per set of classes
            key += (_classes(row, tables),)
        if "valid_from_on" in row.values and "valid_to_on" not in row.values:
            key += (row.values["valid_from_on"],)
        if key in seen:
            names = " ".join(table.key) + (" valid_from" if len(key) > len(table.key) else "")
            shown = " ".join(str(row.values[name]) for name in names.split())
            problems.add(row.where, names, shown, f"is there twice; it stands at {seen[key].where} too")
        seen.setdefault(key, row)


def _classes(row: Row, tables: Tables) -> str:
    for rule in tables["period_rules"]:
        same = rule.values["program_id"] == row.values["program_id"]
        if same and rule.values["period_kind"] == row.values["valid_from_kind"]:
            return " ".join(sorted(rule.values["participant_classes"].split()))
    return ""


def _in_force(table: Table, rows: list[Row]) -> list[tuple[date, date, Row]]:
    """Each row with the days from (inclusive) and to (exclusive) of the period starts that it holds for."""
    spans = []
    for row in rows:
        ends = FOREVER
        if row.values.get("valid_to_on"):
            ends = row.values["valid_to_on"] + timedelta(days=1)
        elif "valid_to_on" not in row.values:
            later = [
                other.values["valid_from_on"]
                for other in rows
                if all(other.values[name] == row.values[name] for name in table.key)
                and other.values["valid_from_on"] > row.values["valid_from_on"]
            ]
            ends = min(later, default=FOREVER)
        spans.append((row.values["valid_from_on"], ends, row))
    return spans


def _groups(rows: list[Row], per: tuple[str, ...]) -> list[list[Row]]:
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row.values[name] for name in per)].append(row)
    return list(groups.values())


def _sets_in_force(table: Table, rows: list[Row], per: tuple[str, ...]) -> list[list[Row]]:
    """Per group, the rows that hold together, at each day on which that changes."""
    sets = []
    for group in _groups(rows, per):
        spans = _in_force(table, group)
        for day in sorted({start for start, _, _ in spans} | {end for _, end, _ in spans if end != FOREVER}):
            sets.append([row for start, end, row in spans if start <= day < end])
    return sets


def _pairs_in_force(table: Table, rows: list[Row], per: tuple[str, ...]) -> list[tuple[Row, Row]]:
    pairs: list[tuple[Row, Row]] = []
    for together in _sets_in_force(table, rows, per):
        pairs += zip(together, together[1:], strict=False)
    return pairs


def _check_bands(table: Table, rows: list[Row], problems: Problems) -> None:
    per, lower, upper = BANDS[table.name]
    for row in rows:
        if row.values[upper] is not None and row.values[upper] <= row.values[lower]:
            problems.add(row.where, upper, row.values[upper], f"is not above {lower} {row.values[lower]}")
            return
    for together in _sets_in_force(table, rows, per):
        together.sort(key=lambda row: row.values[lower])
        for below, above in zip(together, together[1:], strict=False):
            end, start = below.values[upper], above.values[lower]
            if end is None or end > start:
                shown = "open" if end is None else end
                message = f"overlaps {below.where} in the same periods, whose {upper} is {shown}"
                problems.add(above.where, lower, start, message)
            elif end < start:
                problems.add(above.where, lower, start, f"leaves a gap after {below.where}, whose {upper} is {end}")


def _check_places(table: Table, rows: list[Row], problems: Problems) -> None:
    per, lower, upper = PLACES[table.name]
    for row in rows:
        if row.values[upper] is not None and row.values[upper] < row.values[lower]:
            problems.add(row.where, upper, row.values[upper], f"is below {lower} {row.values[lower]}")
    for together in _sets_in_force(table, rows, per):
        together.sort(key=lambda row: row.values[lower])
        for first, second in zip(together, together[1:], strict=False):
            if first.values[upper] is None or first.values[upper] >= second.values[lower]:
                problems.add(second.where, lower, second.values[lower], f"overlaps {first.where} in the same periods")


def _region(row: Row, tables: Tables, problems: Problems) -> None:
    values = row.values
    has_points = any(rule.values["program_id"] == values["program_id"] for rule in tables["point_rules"])
    if values["won_per_point"] is None and not has_points:
        problems.add(row.where, "won_per_point", "", "is blank; allowed: above 0, at most 2 won per point")
    if values["default_incentive_type"] and values["default_incentive_type"] not in values["incentive_types"].split():
        problems.add(
            row.where,
            "default_incentive_type",
            values["default_incentive_type"],
            f"is not offered; allowed: {values['incentive_types']}",
        )


def _period_rule(row: Row, tables: Tables, problems: Problems) -> None:
    values = row.values
    outside = [n for n in values["months"].split() if not values["starts_month"] <= int(n) <= values["ends_month"]]
    if outside:
        allowed = f"{values['starts_month']} to {values['ends_month']}"
        message = f"({' '.join(outside)}) outside the period; allowed: {allowed}"
        problems.add(row.where, "months", values["months"], message)
    for other in tables["period_rules"]:
        if other is row:
            return
        if all(other.values[name] == values[name] for name in ("program_id", "label")):
            problems.add(row.where, "label", values["label"], f"is the label of {other.where} too")


def _continuity(row: Row, tables: Tables, problems: Problems) -> None:
    if row.values["year_to"] < row.values["year_from"]:
        problems.add(row.where, "year_to", row.values["year_to"], f"is before year_from {row.values['year_from']}")


def _approvers(row: Row, tables: Tables, problems: Problems) -> None:
    if row.values["approvers"] > MOST_APPROVERS:
        problems.add(row.where, "approvers", row.values["approvers"], f"is too many; allowed: 1 to {MOST_APPROVERS}")


ROW_CHECKS = {
    "region_policies": (_region,),
    "period_rules": (_period_rule,),
    "continuity_awards": (_continuity,),
    "approval_rules": (_approvers,),
}
