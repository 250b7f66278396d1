"""Sections of the summary that come from the marts: files and rows, results, what is to be mended."""

from __future__ import annotations

import duckdb

from tanso.reports.text import if_any, section, table


def files(marts: duckdb.DuckDBPyConnection) -> str:
    by_source = marts.sql(
        """
        select source_id, count(*) filter (where status = 'accepted') as taken,
            count(*) filter (where status = 'rejected') as refused,
            count(*) filter (where status = 'duplicate') as twice,
            coalesce(sum(rows_read), 0)::bigint, coalesce(sum(rows_accepted), 0)::bigint,
            coalesce(sum(rows_quarantined), 0)::bigint, coalesce(sum(rows_duplicate), 0)::bigint
        from marts.dq_files group by source_id order by source_id
        """
    ).fetchall()
    refused = marts.sql(
        "select source_id, file_name, reason from marts.dq_files where status = 'rejected' order by all"
    ).fetchall()
    rows = marts.sql(
        """
        select reason, sum(rows)::bigint, string_agg(source_id || ' ' || rows, ', ' order by source_id)
        from (select reason, source_id, count(*) as rows from marts.dq_quarantine group by all)
        group by reason order by reason
        """
    ).fetchall()
    head = ["source", "files", "refused", "received twice", "rows", "accepted", "refused rows", "duplicate rows"]
    return section(
        "Files and rows",
        table(head, by_source),
        if_any(refused, "Refused files (no row of them is used; the reports are in `rejected/<source>/`):"),
        table(["source", "file", "reason"], refused),
        if_any(rows, "Refused rows (as received, with number and reason, in `quarantine/<source>/`):"),
        table(["reason", "rows", "of sources"], rows),
    )


def results(marts: duckdb.DuckDBPyConnection) -> str:
    periods = marts.sql(
        """
        with evaluated as (
            select program_id, period_id, count(distinct participant_id) as participants,
                count(distinct participant_id) filter (where status = 'evaluated') as evaluated
            from marts.fct_reductions group by all
        ),
        awarded as (
            select program_id, period_id, count(distinct participant_id) filter (where points > 0) as awarded,
                sum(points)::bigint as points
            from marts.fct_point_awards group by all
        )
        select program_id, period_id, participants, evaluated, coalesce(awarded, 0), coalesce(points, 0)
        from evaluated left join awarded using (program_id, period_id) order by all
        """
    ).fetchall()
    statuses = marts.sql(
        """
        select program_id, status, count(distinct participant_id), count(*)
        from marts.fct_reductions where status <> 'evaluated' group by all order by all
        """
    ).fetchall()
    applications = marts.sql(
        "select program_id, status, count(distinct participant_id), count(*) from marts.fct_applications "
        "where status <> 'accepted' group by all order by all"
    ).fetchall()
    return section(
        "Results",
        table(["programme", "period", "participants", "evaluated", "awarded", "points"], periods),
        if_any(statuses, "Not evaluated, and why (participant × period × utility):"),
        table(["programme", "status", "participants", "rows"], statuses),
        if_any(applications, "Applications not accepted:"),
        table(["programme", "status", "participants", "applications"], applications),
    )


def gaps(marts: duckdb.DuckDBPyConnection) -> str:
    unmatched = marts.sql(
        "select program_id, utility, reason, count(*) from marts.dq_unmatched_meters group by all order by all"
    ).fetchall()
    gaps = marts.sql(
        """
        select program_id, region_code, min(period_id), max(period_id), count(*), max(participants)
        from marts.dq_policy_gaps group by all order by all
        """
    ).fetchall()
    return section(
        "Needs attention",
        if_any(unmatched, "Meters that no reading ever matched (`marts.dq_unmatched_meters`):"),
        table(["programme", "utility", "reason", "meters"], unmatched),
        if_any(gaps, "Regions not evaluated (`region_without_policy`; add a row to `region_policies.csv`):"),
        table(["programme", "region", "from", "to", "periods", "participants"], gaps),
    )
