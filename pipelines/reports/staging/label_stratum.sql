-- What was drawn of each stratum of the samples that the report uses and still counts. Grain: one row per sample and stratum.
select
    s.sample_id,
    drawn.stratum,
    any_value(drawn.stratum_count) as stratum_count,
    any_value(drawn.stratum_drawn) as stratum_drawn,
    count(*) as counted_count
from label_sample_use as s
join label_sample_item as drawn using (sample_id)
join labelled_item as i using (manifestation_id)
where i.counted and i.channel = s.channel and i.published_at >= s.period_start and i.published_at < s.period_end
group by s.sample_id, drawn.stratum
order by s.sample_id, drawn.stratum
