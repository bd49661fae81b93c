-- Clusters larger together than what no category took, of fewer than five persons, without words, numbered with gaps. Grain: one row per offending channel.
with unread as (
    select channel, sum(manifestation_count) as n
    from report_category
    where report_id = $report_id and category_id in ('otros', 'unclassified')
    group by channel
)

select e.channel, any_value(unread.n) as unread, sum(e.manifestation_count) as in_clusters
from report_emerging as e
left join unread using (channel)
where e.report_id = $report_id
group by e.channel
having any_value(unread.n) is null
    or sum(e.manifestation_count) > any_value(unread.n)
    or max(e.cluster_number) <> count(*)
    or count(distinct e.cluster_number) <> count(*)
    or min(e.person_count) < 5
    or bool_or(e.person_count > e.manifestation_count)
    or bool_or(e.source_count < 1)
    or bool_or(e.first_day > e.last_day)
    or min(len(e.words)) < 2
