-- The label that holds of each person who labelled a counted manifestation of the window: that of the last import. The same
-- person's labels of one message in two samples are one; an
-- issue that was taken back is none. Grain: one row per manifestation, task and labeller.
select
    i.channel,
    l.manifestation_id,
    l.task,
    l.labeller,
    arg_max(l.label, (l.run_id, l.import_number)) as label
from label as l
join window_sample_item as i using (sample_id, manifestation_id)
group by all
having arg_max(l.label, (l.run_id, l.import_number)) <> 'none'
