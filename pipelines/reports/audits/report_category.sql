-- Channels whose category counts do not add up to the report's total, and shares that do not add up to 1. Grain: one row per offending channel.
select r.channel, r.manifestation_count, sum(t.manifestation_count) as counted
from report as r
left join report_category as t using (report_id, channel)
where r.report_id = $report_id
group by r.channel, r.manifestation_count
having coalesce(sum(t.manifestation_count), -1) <> r.manifestation_count
    or (r.manifestation_count > 0 and abs(sum(t.manifestation_share) - 1) > 1e-9)
