-- Manifestations by urban category, as read and, where people labelled a sample, corrected. Grain: one row per report, channel and category, zero and unclassified included.
with total as (
    select channel, count(*) as n from report_item where counted group by channel
),

read as (
    select channel, category_id, count(*) as n from report_item where counted group by all
)

select
    $report_id as report_id,
    c.channel,
    k.category_id,
    k.position,
    coalesce(read.n, 0) as manifestation_count,
    case when coalesce(e.status, 'uncorrected') = 'uncorrected' then coalesce(read.n, 0) / total.n else e.share end as manifestation_share,
    e.low as manifestation_low,
    e.high as manifestation_high,
    coalesce(e.status = 'corrected', false) as corrected,
    coalesce(read.n, 0) / total.n as read_share,
    coalesce(e.status, 'uncorrected') as estimate_status,
    e.labelled_count,
    e.positive_count as labelled_positive_count
from city_channel as c
cross join category_label as k
left join total using (channel)
left join read on read.channel = c.channel and read.category_id = k.category_id
left join estimate as e on e.subject = 'category' and e.channel = c.channel and e.category_id = k.category_id
order by c.channel, k.position
