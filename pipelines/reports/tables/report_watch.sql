-- What the alerts looked at, or why at nothing. Grain: one row per report and channel.
select $report_id as report_id, * from alert_watch order by channel
