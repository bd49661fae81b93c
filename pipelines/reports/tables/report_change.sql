-- Change against the window before and what it is made of. Grain: one row per report, compared channel, measure and key.
select $report_id as report_id, * from change order by channel, measure, key
