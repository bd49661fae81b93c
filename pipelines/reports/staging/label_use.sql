-- The labels that hold, of the samples that the report uses, on manifestations that still count with the text that was labelled.
-- Grain: one row per sample, manifestation, task and labeller.
with last_import as (
    select
        l.sample_id,
        l.manifestation_id,
        l.version,
        l.task,
        l.labeller,
        l.label
    from label as l
    semi join label_sample_use using (sample_id)
    qualify
        row_number() over (
            partition by l.sample_id, l.manifestation_id, l.task, l.labeller
            order by l.import_number desc, l.run_id desc, l.label
        ) = 1
)

select
    l.sample_id,
    i.channel,
    l.manifestation_id,
    l.task,
    l.labeller,
    l.label,
    drawn.stratum,
    drawn.stratum_count,
    drawn.stratum_drawn,
    i.category_id,
    i.issue_id,
    i.sentiment
from last_import as l
join label_sample_item as drawn using (sample_id, manifestation_id)
join label_sample as s using (sample_id)
join labelled_item as i using (manifestation_id)
where i.counted
    and i.channel = s.channel
    and i.published_at >= s.period_start
    and i.published_at < s.period_end
    and (l.version is null or l.version = i.version)
    and l.label <> ''
order by l.sample_id, l.manifestation_id, l.task, l.labeller
