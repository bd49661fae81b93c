-- Rises and falls beyond what the city's own earlier days explain. Grain: one row per report, channel and alert.
select $report_id as report_id, * from alert order by channel, position
