-- Sums of categories and issues that are reported under a name of their own, as read and corrected. Grain: one row per report, channel and roll-up.
with total as (
    select channel, count(*) as n from report_item where counted group by channel
),

member as (
    select distinct i.channel, r.rollup_id, i.manifestation_id
    from report_item as i
    join rollup_member as r on r.category_id = i.category_id or r.issue_id = i.issue_id
    where i.counted
),

read as (
    select channel, rollup_id, count(*) as n from member group by all
)

select
    $report_id as report_id,
    c.channel,
    r.rollup_id,
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
cross join (select distinct rollup_id from rollup_member) as r
left join total using (channel)
left join read on read.channel = c.channel and read.rollup_id = r.rollup_id
left join estimate as e on e.subject = 'rollup' and e.channel = c.channel and e.rollup_id = r.rollup_id
order by c.channel, r.rollup_id
