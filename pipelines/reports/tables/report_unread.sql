-- What was not read, or read and not counted, and why. Grain: one row per report, channel and reason.
with reason as (
    select * from (values
        ('unclassified', 1, true),
        ('otros', 2, true),
        ('undated', 3, false),
        ('quechua', 4, false),
        ('aymara', 5, false),
        ('other_language', 6, false),
        ('failed_source', 7, false),
        ('partial_source', 8, false),
        ('spam', 9, false),
        ('test', 10, false),
        ('mirror', 11, false),
        ('own_repeat', 12, false),
        ('official', 13, false),
        ('institution', 14, false),
        ('article', 15, false),
        ('erased_unread', 16, false),
        ('withdrawn', 17, false),
        ('erased_text', 18, true),
        ('read_earlier', 19, true)
    ) as listed(reason, position, counted)
),

found as (
    select channel, category_id as reason, count(*) as n
    from report_item
    where counted and category_id in ('unclassified', 'otros')
    group by all
    union all
    select channel, not_counted, count(*) from report_item where not counted group by all
    union all
    select channel, 'erased_text', count(*) from report_item where counted and erased group by all
    union all
    select channel, 'read_earlier', count(*) from report_item where counted and read_earlier group by all
    union all
    select channel, 'withdrawn', item_count from withdrawn
    union all
    select channel, 'failed_source', count(*) from source_state where status in ('failed', 'not_collected') and reason <> 'disabled' group by all
    union all
    select channel, 'partial_source', count(*) from source_state where status = 'partial' group by all
)

select
    $report_id as report_id,
    c.channel,
    reason.reason,
    reason.position,
    reason.counted,
    coalesce(found.n, 0) as item_count
from city_channel as c
cross join reason
left join found on found.channel = c.channel and found.reason = reason.reason
order by c.channel, reason.position
