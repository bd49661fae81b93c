-- The drawn messages that are kept, under the version that now stands for an erased text. Grain: one row per sample and message.
select i.* replace (coalesce(v.kept_version, i.version) as version)
from main.label_sample_item as i
left join version_kept as v using (manifestation_id, version)
anti join excluded_item as e using (manifestation_id)
