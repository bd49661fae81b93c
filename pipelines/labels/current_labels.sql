-- The label that holds of each labeller: that of the last import. Grain: one row per message, task and labeller of a sample.
select manifestation_id, task, labeller, arg_max(label, import_number) as label
from label
where sample_id = $sample_id
group by manifestation_id, task, labeller
order by manifestation_id, task, labeller
