-- The newest report of the same window that was issued with an earlier view; a look back at the past is none. Grain: one row, none if there is no earlier report.
select distinct report_id, seen_until, report_number
from report
where city = $city and period_start = $start and period_end = $end and seen_until < $seen_until and issued
order by seen_until desc, report_number desc
limit 1
