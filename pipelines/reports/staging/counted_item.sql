-- The counted manifestations, with a number for whoever wrote each; an unsigned one has a writer of its own. Grain: one row per counted manifestation.
select
    row_number() over (order by manifestation_id) as item,
    manifestation_id,
    version,
    source_id,
    channel,
    category_id,
    issue_id,
    published_at,
    text_digest,
    copy_group,
    has_text,
    dense_rank() over (
        order by case when author_key is null then concat_ws(chr(31), 'unsigned', manifestation_id) else concat_ws(chr(31), source_id, author_key) end
    ) as person
from report_item
where counted
