-- Manifestations by sentiment, as read. Grain: one row per report, channel and sentiment.
with total as (
    select channel, count(*) as n from report_item where counted group by channel
),

read as (
    select channel, sentiment, count(*) as n from report_item where counted group by all
)

select
    $report_id as report_id,
    c.channel,
    s.sentiment,
    s.position,
    coalesce(read.n, 0) as manifestation_count,
    coalesce(read.n, 0) / total.n as manifestation_share,
    null::double as manifestation_low,
    null::double as manifestation_high,
    false as corrected
from city_channel as c
cross join sentiment_label as s
left join total using (channel)
left join read on read.channel = c.channel and read.sentiment = s.sentiment
order by c.channel, s.position
