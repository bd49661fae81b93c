-- Channels whose category counts do not add up to the report's total, shares as read that do not add up to 1, and estimates that contradict themselves. Grain: one row per offending channel.
select r.channel, r.manifestation_count, sum(t.manifestation_count) as counted
from report as r
left join report_category as t using (report_id, channel)
where r.report_id = $report_id
group by r.channel, r.manifestation_count
having coalesce(sum(t.manifestation_count), -1) <> r.manifestation_count
    or (r.manifestation_count > 0 and abs(sum(t.read_share) - 1) > 1e-9)
    or sum(t.manifestation_share) filter (t.corrected) > 1 + 1e-9
    or bool_or(t.corrected <> (t.manifestation_low is not null))
    or bool_or(t.corrected <> (t.estimate_status = 'corrected'))
    or bool_or(t.estimate_status not in ('uncorrected', 'corrected', 'insufficient'))
    or bool_or(not (t.manifestation_low <= t.manifestation_share and t.manifestation_share <= t.manifestation_high))
    or bool_or(t.manifestation_low < 0 or t.manifestation_high > 1)
    or bool_or(t.estimate_status = 'insufficient' and t.manifestation_share is not null)
    or bool_or(t.estimate_status = 'uncorrected' and t.manifestation_share is distinct from t.read_share)
    or bool_or(t.corrected and t.labelled_positive_count < 10)
