-- The reports whose id begins with what is given. Grain: one row per report.
select distinct
    report_id,
    city,
    period_start,
    period_end
from report
where starts_with(report_id, $report_id)
order by report_id
