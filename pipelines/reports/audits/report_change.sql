-- Changes whose parts do not add up, arrows without an interval that excludes zero, intervals that do not hold the change, and volumes that
-- contradict the totals. Grain: one row per offending change.
select c.channel, c.measure, c.key, c.total_change, c.within_change, c.direction
from report_change as c
left join report as r using (report_id, channel)
where c.report_id = $report_id
    and (
        abs(c.total_change - (c.within_change + c.mix_change + c.lost_change + c.gained_change)) > 1e-9
        or abs(c.total_change - (c.current_value - c.previous_value)) > 1e-9
        or (c.total_change is null) <> (c.previous_value is null or c.current_value is null)
        or (c.direction = 'up' and not coalesce(c.within_low > 0, false))
        or (c.direction = 'down' and not coalesce(c.within_high < 0, false))
        or c.direction not in ('up', 'down', 'none')
        or (c.direction <> 'none' and not coalesce(c.p_adjusted < 0.05, false))
        or not coalesce(c.within_change between c.within_low and c.within_high, true)
        or c.p_adjusted < c.p_value
        or c.previous_count > c.previous_base and c.measure <> 'volume'
        or r.manifestation_count is distinct from if(c.measure = 'volume', c.current_count, r.manifestation_count)
        or c.measure in ('category', 'sentiment') and c.current_base <> r.manifestation_count
    )
