-- Channels whose days do not add up to the total or whose sentiments exceed a day. Grain: one row per offending channel.
select r.channel, r.manifestation_count, sum(d.manifestation_count) as counted
from report as r
left join report_day as d using (report_id, channel)
where r.report_id = $report_id
group by r.channel, r.manifestation_count
having coalesce(sum(d.manifestation_count), -1) <> r.manifestation_count
    or sum(d.pos_count + d.neu_count + d.neg_count) > r.manifestation_count
