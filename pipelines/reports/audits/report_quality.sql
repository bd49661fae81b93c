-- Figures outside their interval, more labels than manifestations, or two counts that contradict. Grain: one row per offending channel and task.
select q.channel, q.task, q.labelled_count
from report_quality as q
left join report as r using (report_id, channel)
where q.report_id = $report_id
    and (
        r.channel is null
        or q.differing_count > q.twice_count
        or q.labelled_count + q.differing_count > r.manifestation_count
        or not (q.accuracy_low <= q.accuracy and q.accuracy <= q.accuracy_high)
        or not (q.macro_f1_low <= q.macro_f1 and q.macro_f1 <= q.macro_f1_high)
        or q.accuracy_low < 0 or q.accuracy_high > 1 or q.macro_f1_low < 0 or q.macro_f1_high > 1
    )
