-- How the report was made, and the marks by which anyone can check it. Grain: named beside each query.

-- name: annotators
-- One row per task.
select entry.key as task, json_extract_string(entry.value, '$') as annotator
from report
cross join json_each(report.annotators) as entry
where report.report_id = $report_id and report.channel = $channel
order by task

-- name: quality
-- One row per task that people labelled in samples that the report uses.
select *, labelled_count + differing_count as drawn_count
from report_quality
where report_id = $report_id and channel = $channel
order by task
