-- What people labelled by hand, and how far they agree. Grain: named beside each query.

-- name: channels
-- One row per channel with a sample, and the main channel in any case, which stands first.
select
    r.channel,
    r.manifestation_count,
    max(a.sample_count) as sample_count,
    max(a.drawn_count) as drawn_count,
    max(a.labelled_count) as labelled_count,
    max(a.settled_count) as settled_count
from report as r
join report_agreement as a using (report_id, channel)
where r.report_id = $report_id
group by r.channel, r.manifestation_count
having r.channel = $channel or max(a.sample_count) > 0
order by r.channel <> $channel, r.channel

-- name: people
-- One row per channel and person who labelled the categories or, without them, the tone.
select
    a.channel,
    person.key as labeller,
    max(person.value::bigint) as labelled_count
from report_agreement as a
cross join json_each(a.labellers) as person
where a.report_id = $report_id
group by a.channel, person.key
order by a.channel, person.key

-- name: tasks
-- One row per channel and task of which something is labelled.
select
    *,
    case
        when alpha >= 0.8 then 'reliable'
        when alpha >= 2 / 3 then 'tentative'
        when alpha is not null then 'low'
        when double_labelled_count < $min_base then 'few'
        else 'none'
    end as grade
from report_agreement
where report_id = $report_id and labelled_count > 0
order by channel, position
