-- Issues that were not read, or whose place is not told of by name. Grain: one row per offending channel and issue.
select p.channel, p.issue_id, p.place_id
from report_issue_place as p
left join report_issue as i using (report_id, channel, category_id, issue_id)
left join report_place as t on t.report_id = p.report_id and t.channel = p.channel and t.place_id = p.place_id
where p.report_id = $report_id and (i.issue_id is null or t.place_id is null or i.manifestation_count < 5)
