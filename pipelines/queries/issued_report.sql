-- The report of a window that was issued last, whatever taxonomy it was read with. Grain: one row per channel, none without a report.
select
    report_id,
    channel,
    seen_until,
    taxonomy_version,
    manifestation_count
from report
where city = $city and period_start = $start and period_end = $end and issued
qualify dense_rank() over (order by seen_until desc, report_number desc) = 1
order by channel desc
