-- Campaigns larger together than the channel, numbered with gaps, or that tell of fewer than five persons. Grain: one row per offending channel.
select r.channel, r.manifestation_count, sum(c.manifestation_count) as in_campaigns
from report_campaign as c
left join report as r using (report_id, channel)
where c.report_id = $report_id
group by r.channel, r.manifestation_count, r.distinct_text_count
having r.channel is null
    or sum(c.manifestation_count) > r.manifestation_count
    or count(*) > r.distinct_text_count
    or min(c.campaign_number) <> 1
    or max(c.campaign_number) <> count(*)
    or count(distinct c.campaign_number) <> count(*)
    or bool_or(c.manifestation_count < 5)
    or bool_or(c.distinct_text_count > c.manifestation_count)
    or bool_or(c.voice_count between 1 and 4)
    or bool_or((c.voice_count is null) <> (c.unsigned_count is null))
    or bool_or(c.voice_count + c.unsigned_count > c.manifestation_count)
    or bool_or(c.first_day > c.last_day)
