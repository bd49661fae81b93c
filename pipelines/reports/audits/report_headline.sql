-- Channels without three findings in order, findings that contradict the tables, changes told without an arrow. Grain: one row per offending finding.
select h.channel, h.position, h.message, h.manifestation_count, h.base
from report_headline as h
join report as r using (report_id, channel)
left join report_category as c on c.report_id = h.report_id and c.channel = h.channel and h.measure = 'category' and c.category_id = h.key
where h.report_id = $report_id
    and (
        h.manifestation_count > h.base and h.measure <> 'volume'
        or (h.measure = 'category' and c.manifestation_count <> h.manifestation_count)
        or (starts_with(h.message, 'change_') and h.direction not in ('up', 'down'))
        or (h.position = 3 and h.measure <> 'unread')
        or not coalesce(h.change between h.change_low and h.change_high, true)
    )
union all
select r.channel, null, 'fewer than three findings', null, null
from report as r
where r.report_id = $report_id
    and 3 > (select count(*) from report_headline as h where h.report_id = $report_id and h.channel = r.channel and h.position <= 3)
