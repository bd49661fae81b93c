-- Issues that outnumber their category or belong to another, or estimates that contradict themselves. Grain: one row per offending channel and category.
select c.channel, c.category_id, c.manifestation_count, sum(i.manifestation_count) as counted
from report_issue as i
left join report_category as c using (report_id, channel, category_id)
where i.report_id = $report_id
group by c.channel, c.category_id, c.manifestation_count
having c.category_id is null
    or sum(i.manifestation_count) > c.manifestation_count
    or bool_or(not starts_with(i.issue_id, i.category_id || '.'))
    or bool_or(i.corrected <> (i.manifestation_low is not null))
    or bool_or(i.corrected <> (i.estimate_status = 'corrected'))
    or bool_or(i.estimate_status not in ('uncorrected', 'corrected', 'insufficient'))
    or bool_or(not (i.manifestation_low <= i.manifestation_share and i.manifestation_share <= i.manifestation_high))
    or bool_or(i.manifestation_low < 0 or i.manifestation_high > 1)
    or bool_or(i.estimate_status = 'insufficient' and i.manifestation_share is not null)
    or bool_or(i.estimate_status = 'uncorrected' and i.manifestation_share is distinct from i.read_share)
    or bool_or(i.corrected and i.labelled_positive_count < 10)
