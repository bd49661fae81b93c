-- How many messages of the staged window no configured annotator has read. Grain: one row.
select count(*) as message_count
from report_item as i
where i.kind = 'manifestation'
    and not i.erased  -- nobody can read it any more
    and (
        i.sentiment = 'unclassified'
        or not exists (
            select 1
            from window_reading as a
            join task_reader as r using (task, annotator, revision, taxonomy_version)
            where a.manifestation_id = i.manifestation_id and a.version = i.version and a.task = 'category'
        )
    )
