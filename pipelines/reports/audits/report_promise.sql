-- Promises with a change that no interval tells, with counts over their base, or of a period that is not before. Grain: one row per offending commitment.
select p.commitment_id, p.change
from report_promise as p
join report as r using (report_id, channel)
where p.report_id = $report_id
    and (
        (p.change <> 'unknown' and (not p.corrected or p.then_low is null or p.now_low is null))
        or p.change not in ('up', 'down', 'none', 'unknown')
        or p.then_count > p.then_base
        or p.now_count > p.now_base
        or p.then_start > p.then_end
        or p.then_end::timestamp >= r.period_end at time zone 'UTC'
    )
