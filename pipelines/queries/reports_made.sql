-- Every report of the main channel, for the index of what was made. Grain: one row per report.
select
    report_id,
    report_number,
    city,
    period_start,
    period_end,
    seen_until,
    manifestation_count,
    late_count,
    amends_report_id,
    issued,
    synthetic,
    -- Of the same window, the one made last of those with the latest seen_until stands; the others were replaced.
    issued and row_number() over (
        partition by city, period_start, period_end, issued
        order by seen_until desc, report_number desc
    ) = 1 as standing
from report
qualify row_number() over (partition by report_id order by channel <> 'online', channel) = 1
order by city, period_end desc, period_start desc, report_number desc
