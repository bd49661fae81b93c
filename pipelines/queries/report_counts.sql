-- What a report counts by category and by issue. Grain: one row per channel and category, and per channel and issue read at least once.
select channel, 'category' as level, category_id as id, manifestation_count
from report_category
where report_id = $report_id
union all
select channel, 'issue' as level, issue_id as id, manifestation_count
from report_issue
where report_id = $report_id
order by channel, level, id
