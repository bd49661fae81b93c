-- Texts that many people passed on, and what part of the headline is copies. Grain: named beside each query.

-- name: copies
-- One row: counted manifestations, how many of them say what another said before, and how many belong to a campaign.
with campaign as (
    select count(*) as campaign_count, coalesce(sum(manifestation_count), 0)::bigint as campaign_manifestation_count
    from report_campaign
    where report_id = $report_id and channel = $channel
)

select
    r.manifestation_count,
    r.distinct_text_count,
    r.voice_count,
    r.unsigned_count,
    r.textless_count,
    r.manifestation_count - r.distinct_text_count as copy_count,
    (r.manifestation_count - r.distinct_text_count) / nullif(r.manifestation_count, 0) as copy_share,
    campaign.campaign_count,
    campaign.campaign_manifestation_count
from report as r
cross join campaign
where r.report_id = $report_id and r.channel = $channel

-- name: campaigns
-- One row per campaign of the main channel, the ten largest, with the category that most of it was read as.
select
    c.*,
    json_keys(c.categories)[1] as category_id,
    json_extract(c.categories, '$.' || json_keys(c.categories)[1])::bigint as category_count
from report_campaign as c
where c.report_id = $report_id and c.channel = $channel and c.campaign_number <= 10
order by c.campaign_number
