-- The labels that are kept, under the version that now stands for an erased text. Grain: one row per label.
select l.* replace (coalesce(v.kept_version, l.version) as version)
from main.label as l
left join version_kept as v using (manifestation_id, version)
anti join excluded_item as e using (manifestation_id)
