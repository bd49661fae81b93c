-- Channels where counted and not counted do not add up to what was collected. Grain: one row per offending channel.
select r.channel, r.collected_count, sum(u.item_count) as accounted
from report as r
left join report_unread as u
    on u.report_id = r.report_id and u.channel = r.channel and not u.counted and u.reason not in ('failed_source', 'partial_source', 'withdrawn')
where r.report_id = $report_id
group by r.channel, r.collected_count, r.manifestation_count
having coalesce(sum(u.item_count), -1) + r.manifestation_count <> r.collected_count
