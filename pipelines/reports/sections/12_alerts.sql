-- Rises and falls beyond what the city's own history explains. Grain: named beside each query.

-- name: watched
-- One row: what was looked at, or why nothing.
select * from report_watch where report_id = $report_id and channel = $channel

-- name: alerts
-- One row per alert, the least expected first.
select a.*, s.publisher
from report_alert as a
left join report_source as s on s.report_id = a.report_id and a.measure = 'source' and s.source_id = a.key
where a.report_id = $report_id and a.channel = $channel
order by a.position
