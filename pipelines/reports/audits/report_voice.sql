-- Channels whose categories do not add up to the whole, voices that exceed messages, and a tenth of fewer than thirty. Grain: one row per offending row.
select v.channel, v.category_id, v.manifestation_count
from report_voice as v
join report as r using (report_id, channel)
where v.report_id = $report_id
    and (
        v.voice_count + v.unsigned_count > v.manifestation_count
        or v.distinct_text_count > v.manifestation_count
        or (v.top_tenth_share is not null and v.voice_count < 30)
        or v.top_tenth_share not between 0.1 and 1
        or (
            v.category_id is null
            and (
                v.manifestation_count <> r.manifestation_count
                or v.voice_count <> r.voice_count
                or v.distinct_text_count <> r.distinct_text_count
                or r.manifestation_count <> (
                    select sum(part.manifestation_count) from report_voice as part
                    where part.report_id = $report_id and part.channel = v.channel and part.category_id is not null
                )
            )
        )
    )
