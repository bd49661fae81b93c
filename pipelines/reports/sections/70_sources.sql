-- Every source of the city and how it fared, also those that gave nothing. Grain: one row per source, the main channel first.
select
    s.* replace (
        -- What it brought decides, so that a source read whole says the same whenever it was read.
        case when s.status in ('ok', 'empty') then if(s.item_count = 0, 'empty', 'ok') else s.status end as status
    ),
    -- What the watch says replaces what one collection alone could say about numbers.
    s.reason not in ('none', 'nothing_published')
    and not (
        s.reason in ('fewer_than_expected', 'more_than_expected') and (s.expected_from = 'history' or s.verdict <> 'none')
    ) as explained,
    s.verdict is not null and s.verdict <> 'none' as judged,
    s.reason = 'disabled' as disabled,
    r.manifestation_count as base,
    r.source_planned_count,
    r.source_alive_count,
    max(s.manifestation_count) over (partition by s.channel) as most,
    dense_rank() over (order by s.channel <> $channel, s.channel) as channel_place
from report_source as s
join report as r using (report_id, channel)
where s.report_id = $report_id
order by channel_place, s.position
