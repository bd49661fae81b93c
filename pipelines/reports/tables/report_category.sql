-- Manifestations by urban category, as read. Grain: one row per report, channel and category, zero and unclassified included.
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
    coalesce(read.n, 0) / total.n as manifestation_share,
    null::double as manifestation_low,
    null::double as manifestation_high,
    false as corrected
from city_channel as c
cross join category_label as k
left join total using (channel)
left join read on read.channel = c.channel and read.category_id = k.category_id
order by c.channel, k.position
