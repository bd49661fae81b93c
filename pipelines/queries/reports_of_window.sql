-- The reports of a city's window, those that an amendment replaced too, in the order in which they were made. Grain: one row per report.
select report_id
from report
where city = $city and period_start = $start and period_end = $end
group by report_id
order by min(report_number), report_id
