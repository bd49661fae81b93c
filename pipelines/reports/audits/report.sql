-- Totals that contradict the items, or more kept than collected. Grain: one row per offending report and channel.
select r.report_id, r.channel, r.manifestation_count
from report as r
where r.report_id = $report_id
    and (
        r.manifestation_count > r.collected_count
        or r.distinct_text_count > r.manifestation_count
        or (r.distinct_text_count = 0 and r.manifestation_count > 0)
        or r.textless_count > r.manifestation_count
        or r.voice_count + r.unsigned_count > r.manifestation_count
        or r.gone_count > r.manifestation_count
        or r.source_alive_count > r.source_planned_count
        or r.period_start >= r.period_end
        or r.manifestation_count <> (select count(*) from report_item as i where i.counted and i.channel = r.channel)
    )
