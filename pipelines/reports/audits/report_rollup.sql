-- Roll-ups larger than the whole, or estimates that contradict themselves. Grain: one row per offending channel and roll-up.
select u.channel, u.rollup_id, u.manifestation_count, r.manifestation_count as counted
from report_rollup as u
join report as r using (report_id, channel)
where u.report_id = $report_id
group by u.channel, u.rollup_id, u.manifestation_count, r.manifestation_count
having u.manifestation_count > r.manifestation_count
    or bool_or(u.corrected <> (u.manifestation_low is not null))
    or bool_or(u.corrected <> (u.estimate_status = 'corrected'))
    or bool_or(u.estimate_status not in ('uncorrected', 'corrected', 'insufficient'))
    or bool_or(not (u.manifestation_low <= u.manifestation_share and u.manifestation_share <= u.manifestation_high))
    or bool_or(u.manifestation_low < 0 or u.manifestation_high > 1)
    or bool_or(u.estimate_status = 'insufficient' and u.manifestation_share is not null)
    or bool_or(u.estimate_status = 'uncorrected' and u.manifestation_share is distinct from u.read_share)
    or bool_or(u.corrected and u.labelled_positive_count < 10)
