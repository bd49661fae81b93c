-- Places that fewer than five named, rows whose difference would tell of fewer, rows that cannot be. Grain: one row per offending channel.
with rows as (
    select p.*, r.manifestation_count as total
    from report_place as p
    left join report as r using (report_id, channel)
    where p.report_id = $report_id
)

select channel, any_value(total) as total, sum(manifestation_count) as listed
from rows
group by channel
having any_value(total) is null
    or max(position) <> count(*)
    or count(distinct position) <> count(*)
    or bool_or(manifestation_count > total)
    or bool_or(grouping in ('place', 'other') and manifestation_count < 5)
    or bool_or(grouping = 'none' and manifestation_count between 1 and 4)
    or bool_or((grouping = 'place') <> (place_id is not null))
    or count(*) filter (grouping = 'other') > 1
    or count(*) filter (grouping = 'none') > 1
    or bool_or(manifestation_count is null and grouping <> 'textless') <> bool_and(manifestation_count is null or grouping = 'textless')
    or sum(manifestation_count) < any_value(total)
