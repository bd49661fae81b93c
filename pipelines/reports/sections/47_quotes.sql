-- What at least five persons said alike, of the main channel. Grain: named beside each query.

-- name: applies
-- One row, or none where nothing is quoted.
select 1 as applies
from report_quote
where report_id = $report_id and channel = $channel
limit 1

-- name: rows
-- One row per quote, those of the largest categories first, two a category at most.
select q.*, dense_rank() over (order by c.manifestation_count desc, c.position) as category_place
from report_quote as q
join report_category as c using (report_id, channel, category_id)
left join report_issue as i using (report_id, channel, category_id, issue_id)
where q.report_id = $report_id and q.channel = $channel
qualify row_number() over (partition by q.category_id order by i.manifestation_count desc, q.issue_id) <= 2
order by category_place, i.manifestation_count desc, q.issue_id
