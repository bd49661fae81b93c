-- Channels whose sources do not add up, sources listed twice or left out. Grain: one row per offending channel.
select r.channel, r.manifestation_count, sum(s.manifestation_count) as counted
from report as r
left join report_source as s using (report_id, channel)
where r.report_id = $report_id
group by r.channel, r.manifestation_count, r.source_planned_count
having coalesce(sum(s.manifestation_count), -1) <> r.manifestation_count
    or count(distinct s.source_id) <> count(*)
    or count(*) filter (s.reason <> 'disabled') <> r.source_planned_count
