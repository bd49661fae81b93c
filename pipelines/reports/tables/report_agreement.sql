-- How far the people who labelled the window's samples agree. Grain: one row per report, channel and task.
with sampled as (
    select s.channel, count(distinct s.sample_id) as samples, count(distinct i.manifestation_id) as drawn
    from window_sample as s
    left join window_sample_item as i using (channel, sample_id)
    group by s.channel
)

select
    $report_id as report_id,
    a.channel,
    a.task,
    a.position,
    coalesce(sampled.samples, 0) as sample_count,
    coalesce(sampled.drawn, 0) as drawn_count,
    a.labelled_count,
    a.double_labelled_count,
    a.agreed_count,
    a.settled_count,
    a.labellers,
    a.kappa,
    a.kappa_low,
    a.kappa_high,
    a.alpha,
    a.alpha_low,
    a.alpha_high
from task_agreement as a
left join sampled using (channel)
order by a.channel, a.position
