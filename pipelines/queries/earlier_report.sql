-- The newest report of the same window that looked less far. Grain: one row, none if there is no earlier report.
select distinct report_id, seen_until
from report
where city = $city and period_start = $start and period_end = $end and seen_until < $seen_until
order by seen_until desc, report_id
limit 1
