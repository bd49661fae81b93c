-- The words that set a category or an issue apart. Grain: one row per report, channel, category, issue (null: the category as a whole) and position.
select
    $report_id as report_id,
    channel,
    category_id,
    issue_id,
    position,
    word,
    weight
from typical_word
order by channel, category_id, issue_id nulls first, position
