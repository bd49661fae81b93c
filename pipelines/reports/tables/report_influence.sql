-- What each share would be without one source. Grain: one row per report, channel, measure and key.
select $report_id as report_id, * from influence order by channel, measure, key
