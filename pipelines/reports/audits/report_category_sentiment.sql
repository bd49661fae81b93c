-- Categories whose sentiments do not add up to the category. Grain: one row per offending channel and category.
select c.channel, c.category_id, c.manifestation_count, sum(t.manifestation_count) as counted
from report_category as c
left join report_category_sentiment as t using (report_id, channel, category_id)
where c.report_id = $report_id
group by c.channel, c.category_id, c.manifestation_count
having coalesce(sum(t.manifestation_count), -1) <> c.manifestation_count
