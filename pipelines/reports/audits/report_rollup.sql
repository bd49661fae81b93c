-- Roll-ups larger than the whole. Grain: one row per offending channel and roll-up.
select u.channel, u.rollup_id, u.manifestation_count
from report_rollup as u
join report as r using (report_id, channel)
where u.report_id = $report_id and u.manifestation_count > r.manifestation_count
