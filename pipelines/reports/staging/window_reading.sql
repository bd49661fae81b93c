-- What any annotator read of the versions in the window. Grain: one row per manifestation version, task, annotator, revision and taxonomy.
-- Three ways to find it: by an instant in the window, by that of a version which has no date of its own, among rows without one.
select a.manifestation_id, a.version, a.task, a.annotator, a.revision, a.taxonomy_version, a.label, a.score, a.run_id
from annotation as a
semi join window_item using (manifestation_id, version)
where a.version_at >= $start and a.version_at < $end
union all
select a.manifestation_id, a.version, a.task, a.annotator, a.revision, a.taxonomy_version, a.label, a.score, a.run_id
from annotation as a
semi join (from window_item where version_at < $start or version_at >= $end) as i using (version_at, manifestation_id, version)
union all
select a.manifestation_id, a.version, a.task, a.annotator, a.revision, a.taxonomy_version, a.label, a.score, a.run_id
from annotation as a
semi join window_item using (manifestation_id, version)
where a.version_at is null
