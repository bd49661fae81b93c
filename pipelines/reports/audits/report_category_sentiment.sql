-- Categories whose sentiments do not add up to the category, or estimates that contradict themselves. Grain: one row per offending channel and category.
select c.channel, c.category_id, c.manifestation_count, sum(t.manifestation_count) as counted
from report_category as c
left join report_category_sentiment as t using (report_id, channel, category_id)
where c.report_id = $report_id
group by c.channel, c.category_id, c.manifestation_count
having coalesce(sum(t.manifestation_count), -1) <> c.manifestation_count
    or sum(t.manifestation_share) filter (t.corrected) > 1 + 1e-9
    or bool_or(not (t.joint_low <= t.joint_share and t.joint_share <= t.joint_high))
    or bool_or(t.corrected <> (t.manifestation_low is not null))
    or bool_or(t.corrected <> (t.estimate_status = 'corrected'))
    or bool_or(t.estimate_status not in ('uncorrected', 'corrected', 'insufficient'))
    or bool_or(not (t.manifestation_low <= t.manifestation_share and t.manifestation_share <= t.manifestation_high))
    or bool_or(t.manifestation_low < 0 or t.manifestation_high > 1)
    or bool_or(t.estimate_status = 'insufficient' and t.manifestation_share is not null)
    or bool_or(t.estimate_status = 'uncorrected' and t.manifestation_share is distinct from t.read_share)
    or bool_or(t.corrected and t.labelled_positive_count < 10)
