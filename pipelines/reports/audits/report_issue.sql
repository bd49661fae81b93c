-- Issues that outnumber their category or belong to another. Grain: one row per offending channel and category.
select c.channel, c.category_id, c.manifestation_count, sum(i.manifestation_count) as counted
from report_issue as i
left join report_category as c using (report_id, channel, category_id)
where i.report_id = $report_id
group by c.channel, c.category_id, c.manifestation_count
having c.category_id is null
    or sum(i.manifestation_count) > c.manifestation_count
    or bool_or(not starts_with(i.issue_id, i.category_id || '.'))
