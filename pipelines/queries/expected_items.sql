-- Items that a whole collection of a window should give again, and how often the last ones in a row did not. Grain: one row per item of the source.
-- Only messages with an id of their own: without one, an edit is another item. The current version says whether the date is in the window.
with current_version as (
    select *
    from manifestation
    where city = $city and source_id = $source
    qualify row_number() over (partition by manifestation_id order by version_number desc) = 1
),

absence as (
    select manifestation_id, arg_max(misses, batch_number) as misses
    from manifestation_absence
    where city = $city and source_id = $source
    group by manifestation_id
)

select
    c.manifestation_id,
    c.kind = 'manifestation' and c.published_at >= $start and c.published_at < $end
    and c.native_id is not null and not starts_with(c.native_id, 'row:') as expected,
    coalesce(absence.misses, 0) as misses
from current_version as c
left join absence using (manifestation_id)
where expected or absence.misses > 0
order by c.manifestation_id
