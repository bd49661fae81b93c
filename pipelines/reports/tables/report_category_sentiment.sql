-- Sentiment within each category, as read; shares are of the category. Grain: one row per report, channel, category and sentiment.
with read as (
    select channel, category_id, sentiment, count(*) as n from report_item where counted group by all
),

total as (
    select channel, category_id, sum(n) as n from read group by all
)

select
    $report_id as report_id,
    c.channel,
    k.category_id,
    s.sentiment,
    coalesce(read.n, 0) as manifestation_count,
    coalesce(read.n, 0) / total.n as manifestation_share,
    null::double as manifestation_low,
    null::double as manifestation_high,
    false as corrected
from city_channel as c
cross join category_label as k
cross join sentiment_label as s
left join total on total.channel = c.channel and total.category_id = k.category_id
left join read on read.channel = c.channel and read.category_id = k.category_id and read.sentiment = s.sentiment
order by c.channel, k.position, s.position
