-- How right the model is, measured on what people labelled. Grain: one row per report, channel and task that was labelled.
select
    $report_id as report_id,
    quality.*
from quality
order by channel, task
