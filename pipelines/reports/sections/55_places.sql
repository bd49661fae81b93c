-- Places that the messages of the main channel name. Grain: named beside each query.

-- name: applies
-- One row, or none for a city without a gazetteer.
select 1 as applies
from report_place
where report_id = $report_id and channel = $channel and grouping <> 'textless'
limit 1

-- name: rows
-- One row per place that is told of by name, from the most named.
select p.*, r.manifestation_count as base, zone.place_name as zone_name, max(p.manifestation_count) over () as most
from report_place as p
join report as r using (report_id, channel)
left join report_place as zone
    on zone.report_id = p.report_id and zone.channel = p.channel and zone.place_id = p.zone_id
where p.report_id = $report_id and p.channel = $channel and p.grouping = 'place'
order by p.position

-- name: others
-- One row for the other places together, one for messages that name none, one for those whose text is stored no longer.
select p.*, r.manifestation_count as base
from report_place as p
join report as r using (report_id, channel)
where p.report_id = $report_id and p.channel = $channel and p.grouping <> 'place'
order by p.position
