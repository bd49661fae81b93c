-- Tasks whose labels are kept for a revision of an annotator. Grain: one row per task.
select task
from annotator_task
where annotator = $annotator and revision = $revision and taxonomy_version = $taxonomy_version
