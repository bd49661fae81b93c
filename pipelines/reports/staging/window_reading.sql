-- What any annotator read of the versions in the window. Grain: one row per manifestation version, task, annotator, revision and taxonomy.
-- A reading without a date may be of any version; one with a date of the window is of a version with that date.
with near as (
    select * from annotation where published_at >= $start and published_at < $end
    union all
    select * from annotation where published_at is null
)

select manifestation_id, version, task, annotator, revision, taxonomy_version, label, score, run_id
from near
semi join window_item using (manifestation_id, version)
