-- What each share would be without one source, and how many voices it rests on. Grain: named beside each query.

-- name: shares
-- One row per category, by size, and per sentiment.
select
    i.*,
    r.manifestation_count as base,
    false as corrected,
    source.publisher,
    i.measure = 'sentiment' as tone,
    i.key in ('otros', 'unclassified') as apart
from report_influence as i
join report as r using (report_id, channel)
left join report_source as source on source.report_id = i.report_id and source.source_id = i.moving_source_id
where i.report_id = $report_id and i.channel = $channel and i.measure in ('category', 'sentiment') and i.share > 0
order by tone, apart, i.share desc, i.key

-- name: voices
-- One row for the whole channel, then one per category by size.
select * from report_voice
where report_id = $report_id and channel = $channel and manifestation_count > 0
order by category_id is not null, category_id in ('otros', 'unclassified'), manifestation_count desc, category_id
