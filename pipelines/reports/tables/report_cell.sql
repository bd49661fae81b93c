-- How many persons stand behind each figure, and where it is not told. Grain: one row per report, channel and cell; those of the window
-- before, where it is compared, under `previous_category`, `previous_sentiment` and `previous_category_sentiment`.
select
    $report_id as report_id,
    channel,
    cell_table,
    cell_key,
    manifestation_count,
    person_count,
    suppressed_internal,
    suppressed_open
from protected_cell
order by channel, cell_table, cell_key
