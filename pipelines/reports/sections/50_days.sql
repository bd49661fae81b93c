-- The main channel day by day, empty days included. Grain: one row per day of the window.
select day, manifestation_count, neg_count, neu_count, pos_count, coalesce(covered, true) as covered
from report_day
where report_id = $report_id and channel = $channel
order by day
