-- The messages of a sample with their texts, in the order in which people see them; the text is null where it is stored no
-- longer. Grain: one row per message of the sample.
with stored as (
    select manifestation_id, version, max(text) as text
    from manifestation_text
    group by all
)

select item.position, item.manifestation_id, stored.text
from label_sample_item as item
left join stored using (manifestation_id, version)
where item.sample_id = $sample_id
order by item.position
