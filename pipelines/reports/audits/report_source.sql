-- Channels whose sources do not add up, sources listed twice or left out, verdicts that contradict their interval. Grain: one row per offending channel.
select r.channel, r.manifestation_count, sum(s.manifestation_count) as counted
from report as r
left join report_source as s using (report_id, channel)
where r.report_id = $report_id
group by r.channel, r.manifestation_count, r.source_planned_count
having coalesce(sum(s.manifestation_count), -1) <> r.manifestation_count
    or count(distinct s.source_id) <> count(*)
    or count(*) filter (s.reason <> 'disabled') <> r.source_planned_count
    or count(*) filter (s.verdict = 'quiet' and s.verdict_about = 'volume' and s.watched_count >= s.expected_low) > 0
    or count(*) filter (s.expected_low > s.expected_high) > 0
