-- Sentiment within each category, as read and corrected; shares are of the category. Grain: one row per report, channel, category and sentiment.
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
    case when coalesce(e.status, 'uncorrected') = 'uncorrected' then coalesce(read.n, 0) / total.n else e.share end as manifestation_share,
    e.low as manifestation_low,
    e.high as manifestation_high,
    coalesce(e.status = 'corrected', false) as corrected,
    coalesce(read.n, 0) / total.n as read_share,
    coalesce(e.status, 'uncorrected') as estimate_status,
    e.labelled_count,
    e.positive_count as labelled_positive_count,
    j.share as joint_share,
    j.low as joint_low,
    j.high as joint_high
from city_channel as c
cross join category_label as k
cross join sentiment_label as s
left join total on total.channel = c.channel and total.category_id = k.category_id
left join read on read.channel = c.channel and read.category_id = k.category_id and read.sentiment = s.sentiment
left join estimate as e
    on e.subject = 'tone' and e.channel = c.channel and e.category_id = k.category_id and e.sentiment = s.sentiment
left join estimate as j
    on j.subject = 'joint' and j.channel = c.channel and j.category_id = k.category_id and j.sentiment = s.sentiment
order by c.channel, k.position, s.position
