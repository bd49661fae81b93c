-- Alerts inside what was expected, of days outside the window, or of a channel that was not watched. Grain: one row per offending alert.
select a.channel, a.measure, a.key, a.item_count, a.expected_low, a.expected_high
from report_alert as a
join report as r using (report_id, channel)
left join report_watch as w using (report_id, channel)
where a.report_id = $report_id
    and (
        (a.direction = 'up' and a.item_count <= a.expected_high)
        or (a.direction = 'down' and a.item_count >= a.expected_low)
        or a.direction not in ('up', 'down')
        or a.first_day > a.last_day
        or w.standing is distinct from 'watched'
        or a.p_value > w.alarm_rate
    )
