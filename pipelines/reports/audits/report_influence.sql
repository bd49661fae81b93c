-- Ranges that do not hold their share, and shares that are not those of the report as read. Grain: one row per offending share.
select i.channel, i.measure, i.key, i.share, i.lowest_without, i.highest_without
from report_influence as i
left join report_category as c on c.report_id = i.report_id and c.channel = i.channel and i.measure = 'category' and c.category_id = i.key
left join report as r on r.report_id = i.report_id and r.channel = i.channel
where i.report_id = $report_id
    and (
        not coalesce(i.share between i.lowest_without - 1e-9 and i.highest_without + 1e-9, true)
        or (i.measure = 'category' and abs(i.share - c.manifestation_count / nullif(r.manifestation_count, 0)) > 1e-9)
        or (i.moving_source_id is not null and i.moving_source_id not in (i.lowest_source_id, i.highest_source_id))
        or i.share not between 0 and 1
    )
