-- The findings, in the order in which the page tells them. Grain: one row per report, channel and finding.
-- Rules: a sure change comes before a large category, the largest within its measure first; without a comparison, the largest category and the
-- most negative one; the third is always what could not be read. It reads report tables alone, so that corrected shares come along.
with channel as (
    select r.channel, r.manifestation_count as base, coalesce(c.standing, 'not_collected') as standing
    from report as r
    left join report_comparison as c using (report_id, channel)
    where r.report_id = $report_id
),

named as (
    -- What is largest is told by the corrected shares where there are some; a share with too few labels is the smallest.
    select
        *,
        case
            when bool_or(corrected) over (partition by channel) then coalesce(manifestation_share, 0)
            else manifestation_count
        end as size
    from report_category
    where report_id = $report_id and category_id not in ('otros', 'unclassified')
),

change as (
    select
        *,
        direction <> 'none' as told,
        case measure when 'category' then 1 when 'sentiment' then 2 when 'category_neg' then 3 else 4 end as measure_place,
        row_number() over (partition by channel, measure, direction <> 'none' order by abs(within_change) desc, p_value, key) as nth_of_measure
    from report_change
    where report_id = $report_id and not (key in ('otros', 'unclassified'))
),

sure as (
    select
        channel,
        'change' as role,
        'change_' || measure as message,
        measure,
        key,
        current_count as manifestation_count,
        current_base as base,
        0 as tied_count,
        case when measure <> 'volume' then current_value end as share,
        null::double as low,
        null::double as high,
        corrected,
        row_number() over (partition by channel order by nth_of_measure, measure_place) as place
    from change
    where told
),

settled as (
    select
        channel.channel,
        'change' as role,
        'no_sure_change' as message,
        'none' as measure,
        null as key,
        null::bigint as manifestation_count,
        channel.base,
        0 as tied_count,
        null::double as share,
        null::double as low,
        null::double as high,
        false as corrected,
        1 as place
    from channel
    where channel.standing = 'compared' and channel.channel not in (select sure.channel from sure)
),

largest as (
    select
        channel.channel,
        'size' as role,
        case
            when channel.base = 0 then 'nothing_counted'
            when max(named.manifestation_count) = 0 then 'no_category'
            when count(*) filter (named.manifestation_count > 0 and named.size = top.most) > 1 then 'largest_tied'
            when channel.base < $min_base then 'largest_category_small'
            else 'largest_category'
        end as message,
        'category' as measure,
        arg_max(named.category_id, (named.size, named.manifestation_count, -named.position)) filter (named.manifestation_count > 0) as key,
        arg_max(named.manifestation_count, (named.size, named.manifestation_count, -named.position)) as manifestation_count,
        channel.base,
        count(*) filter (named.manifestation_count > 0 and named.size = top.most) as tied_count,
        arg_max(coalesce(named.manifestation_share, named.read_share), (named.size, named.manifestation_count, -named.position)) as share,
        arg_max(named.manifestation_low, (named.size, named.manifestation_count, -named.position)) as low,
        arg_max(named.manifestation_high, (named.size, named.manifestation_count, -named.position)) as high,
        coalesce(arg_max(named.corrected, (named.size, named.manifestation_count, -named.position)), false) as corrected,
        3 as place
    from channel
    join named using (channel)
    join (select channel, max(size) filter (manifestation_count > 0) as most from named group by channel) as top using (channel)
    group by channel.channel, channel.base
),

toned as (
    select s.channel, s.category_id, s.manifestation_count, s.manifestation_share, s.manifestation_low, s.manifestation_high, s.corrected,
        named.manifestation_count as base, named.position,
        bool_or(s.manifestation_share is not null) over (partition by s.channel) as any_told,
        bool_or(s.manifestation_share is null) over (partition by s.channel) as any_untold
    from report_category_sentiment as s
    join named using (report_id, channel, category_id)
    where s.sentiment = 'neg' and named.manifestation_count >= $min_base
),

most_negative as (
    select
        channel.channel,
        'tone' as role,
        case
            when count(toned.category_id) = 0 then 'none_large'
            when not any_value(toned.any_told) then 'corrected.none_told'
            when max(toned.manifestation_count) = 0 then 'none_negative'
            when any_value(toned.any_untold) then 'most_negative_labelled'
            else 'most_negative'
        end as message,
        'category_neg' as measure,
        arg_max(toned.category_id, (toned.manifestation_share, toned.base, -toned.position)) as key,
        arg_max(toned.manifestation_count, (toned.manifestation_share, toned.base, -toned.position)) as manifestation_count,
        arg_max(toned.base, (toned.manifestation_share, toned.base, -toned.position)) as base,
        0 as tied_count,
        max(toned.manifestation_share) as share,
        arg_max(toned.manifestation_low, (toned.manifestation_share, toned.base, -toned.position)) as low,
        arg_max(toned.manifestation_high, (toned.manifestation_share, toned.base, -toned.position)) as high,
        coalesce(arg_max(toned.corrected, (toned.manifestation_share, toned.base, -toned.position)), false) as corrected,
        4 as place
    from channel
    left join toned on toned.channel = channel.channel and (toned.manifestation_share is not null or not toned.any_told)
    group by channel.channel
),

unread as (
    select
        channel.channel,
        'unread' as role,
        case
            when channel.base = 0 then 'silence'
            when sum(c.manifestation_count) = 0 then 'all_read'
            when channel.base = 1 then 'unread_only'
            when channel.base < $min_base then 'unread_small'
            else 'unread'
        end as message,
        'unread' as measure,
        null as key,
        sum(c.manifestation_count)::bigint as manifestation_count,
        channel.base,
        0 as tied_count,
        sum(c.manifestation_count) / nullif(channel.base, 0) as share,
        null::double as low,
        null::double as high,
        false as corrected,
        0 as place
    from channel
    join report_category as c on c.report_id = $report_id and c.channel = channel.channel and c.category_id in ('otros', 'unclassified')
    group by channel.channel, channel.base
),

ranked as (
    select
        *,
        row_number() over (
            partition by channel
            -- A category whose change is told already is not told again for its size.
            order by
                place + 10 * ((role = 'change' and place > 2) or (role = 'size' and key in (
                    select sure.key from sure where sure.channel = told.channel and sure.measure = 'category' and sure.place <= 2
                )))::integer,
                role
        ) as nth
    from (
        from sure
        union all by name from settled
        union all by name from largest
        union all by name from most_negative
    ) as told
),

placed as (
    select *, if(nth > 2, nth + 1, nth) as position from ranked
    union all by name
    select *, 3 as position from unread
)

select
    $report_id as report_id,
    p.channel,
    p.position,
    md5(concat_ws('|', p.channel, p.role, p.measure, coalesce(p.key, '')))[:12] as finding_id,
    p.message,
    p.measure,
    p.key,
    p.manifestation_count,
    p.base,
    p.tied_count,
    p.share,
    p.low,
    p.high,
    p.corrected,
    case when change.p_value is null then 'unknown' else change.direction end as direction,
    change.previous_value,
    change.current_value,
    change.within_change as change,
    change.within_low as change_low,
    change.within_high as change_high,
    if(p.role = 'change', change.within_lowest, influence.lowest_without) as lowest_without,
    if(p.role = 'change', change.within_highest, influence.highest_without) as highest_without,
    if(p.role = 'change', change.moving_source_id, influence.moving_source_id) as moving_source_id
from placed as p
left join change on change.channel = p.channel and change.measure = p.measure and change.key = p.key
left join report_influence as influence
    on influence.report_id = $report_id and influence.channel = p.channel and influence.measure = p.measure and influence.key = p.key
order by p.channel, p.position
