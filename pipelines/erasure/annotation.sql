-- The readings that are kept, under the version that now stands for an erased text. Grain: one row per manifestation version, task, annotator, revision and taxonomy.
select a.* replace (coalesce(v.kept_version, a.version) as version)
from main.annotation as a
left join version_kept as v using (manifestation_id, version)
anti join excluded_item as e using (manifestation_id)
