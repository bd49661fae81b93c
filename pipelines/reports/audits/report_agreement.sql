-- Counts that contradict one another, and coefficients of too few pairs or outside their intervals. Grain: one row per offending channel and task.
select a.channel, a.task
from report_agreement as a
where a.report_id = $report_id
    and (
        a.labelled_count > a.drawn_count
        or a.double_labelled_count > a.labelled_count
        or a.settled_count > a.labelled_count
        or a.agreed_count > a.double_labelled_count
        or (a.sample_count = 0 and a.drawn_count > 0)
        or (a.double_labelled_count < 30 and (a.kappa is not null or a.alpha is not null))
        or (a.kappa is null) <> (a.alpha is null)
        or (a.kappa is null) <> (a.kappa_low is null or a.kappa_high is null or a.alpha_low is null or a.alpha_high is null)
        or not coalesce(a.kappa_low <= a.kappa_high and a.kappa between -1 and 1, true)
        or not coalesce(a.alpha_low <= a.alpha_high and a.alpha between -1 and 1, true)
    )
union all
select r.channel, 'rows: ' || count(distinct a.task) as task
from report as r
left join report_agreement as a using (report_id, channel)
where r.report_id = $report_id
group by r.channel
having count(distinct a.task) <> 3 or count(a.task) <> 3
