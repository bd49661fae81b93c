-- Samples of the city that lie inside the window and whose categories are the report's. Grain: one row per sample.
with own_category as (
    select count(*) as n from category_label where category_id <> 'unclassified'
),

same_categories as (
    -- The same names, in whatever taxonomy: an edit of keywords or examples changes no label.
    select t.taxonomy_version
    from (
        select distinct taxonomy_version, unnest(labels) as label from annotator_task where task = 'category'
    ) as t
    left join category_label as own on own.category_id = t.label
    group by t.taxonomy_version
    having bool_and(own.category_id is not null) and count(*) = (select n from own_category)
)

select s.sample_id, s.channel, s.period_start, s.period_end
from label_sample as s
where s.city = $city
    and s.period_start >= $start
    and s.period_end <= $end
    and (
        s.taxonomy_version in (select taxonomy_version from same_categories)
        or s.taxonomy_version in (select taxonomy_version from task_reader)
    )
order by s.sample_id
