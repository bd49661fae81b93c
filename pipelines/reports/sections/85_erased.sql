-- What is no longer kept of what the report counts, and what was taken out of it. Grain: named beside each query.

-- name: applies
-- One row, or none where nothing was erased.
select 1 as applies
from report_unread
where report_id = $report_id and reason in ('erased_text', 'erased_unread', 'withdrawn')
having sum(item_count) > 0

-- name: rows
-- One row per channel and reason of which there is at least one.
select u.channel, u.reason, u.item_count, r.manifestation_count as base
from report_unread as u
join report as r using (report_id, channel)
where u.report_id = $report_id and u.reason in ('erased_text', 'read_earlier', 'erased_unread', 'withdrawn') and u.item_count > 0
order by u.channel <> $channel, u.channel, u.counted desc, u.position
