-- Comparisons that do not fit their changes or their sources. Grain: one row per offending channel.
select c.channel, c.standing
from report_comparison as c
where c.report_id = $report_id
    and (
        c.previous_end <> (select any_value(r.period_start) from report as r where r.report_id = $report_id)
        or c.previous_start >= c.previous_end
        or (c.standing = 'compared') <> exists(select 1 from report_change as d where d.report_id = $report_id and d.channel = c.channel)
        or c.comparison_count
        <> (select count(*) from report_change as d where d.report_id = $report_id and d.channel = c.channel and d.p_value is not null)
        or c.compared_source_count <> (
            select count(*) from report_source_comparison as s
            where s.report_id = $report_id and s.channel = c.channel and s.standing = 'compared'
        )
        or c.previous_compared_count > c.previous_count
        or (c.standing in ('not_collected', 'not_read')) <> (
            coalesce(c.compared_source_count, c.lost_source_count, c.gained_source_count, c.previous_count, c.current_compared_count) is null
        )
    )
